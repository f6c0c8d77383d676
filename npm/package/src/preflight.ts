// CORS preflights that pass without a check (Fetch §3.2.2). Browsers send no credentials with them.

import type { Grant } from "./decision.js";
import { FrozenGrant } from "./frozen-grant.js";
import { folded, type Head } from "./request.js";

export interface BypassOptions {
  /** Whether CORS preflights pass without a check, to a CORS middleware behind the gate. They are anonymous and keep only the headers of a preflight. */
  readonly bypassCorsPreflight?: boolean | undefined;
}

/** The headers that a preflight keeps: for its transport, about the browser, or of the preflight itself. None of them identifies a caller. */
const KEPT_HEADERS = new Set(["host", ":authority", ":method", ":path", ":scheme", "origin", "access-control-request-method", "access-control-request-headers", "access-control-request-private-network", "access-control-request-local-network", "connection", "user-agent", "accept", "accept-encoding", "accept-language", "cache-control", "pragma", "content-length"]);

/** The anonymous grant of a preflight, which removes every other header; `undefined` for all other requests. */
export function preflightGrant({ method, headers }: Request | Head): Grant | undefined {
  if (method !== "OPTIONS") return undefined;
  const sent = new Map<string, string>();
  for (const [name, value] of headers) sent.set(name.toLowerCase(), value);
  // A preflight has no body and no trailers.
  const bare = !sent.has("transfer-encoding") && !sent.has("trailer") && (sent.get("content-length") ?? "0") === "0";
  if (!bare || !sent.get("origin") || !sent.get("access-control-request-method")) return undefined;
  const removed = [...sent.keys()].filter((name) => !KEPT_HEADERS.has(name)).map(folded);
  return new FrozenGrant(null, Object.freeze(removed.filter((name) => !KEPT_HEADERS.has(name))), []);
}
