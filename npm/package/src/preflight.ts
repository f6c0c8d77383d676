// CORS preflights that pass unasked (Fetch §3.2.2): a browser sends no credentials with them.

import type { Grant } from "./decision.js";
import { Granted } from "./granted.js";
import { folded, type Head } from "./request.js";

export interface BypassOptions {
  /** Whether CORS preflights pass unasked, to a CORS middleware behind the gate: as nobody's, with no other header than a preflight has. */
  readonly bypassCorsPreflight?: boolean | undefined;
}

/** Moves a request, says what a browser is, or is of the preflight itself: nothing of these says who is calling. */
const KEPT = new Set(["host", ":authority", ":method", ":path", ":scheme", "origin", "access-control-request-method", "access-control-request-headers", "access-control-request-private-network", "access-control-request-local-network", "connection", "user-agent", "accept", "accept-encoding", "accept-language", "cache-control", "pragma", "content-length"]);

/** What a preflight is granted: nobody, and every other header goes. `undefined` for all other requests. */
export function ofPreflight({ method, headers }: Request | Head): Grant | undefined {
  if (method !== "OPTIONS") return undefined;
  const sent = new Map<string, string>();
  for (const [name, value] of headers) sent.set(name.toLowerCase(), value);
  // With a body, or trailers, it is no preflight.
  const bare = !sent.has("transfer-encoding") && !sent.has("trailer") && (sent.get("content-length") ?? "0") === "0";
  if (!bare || !sent.get("origin") || !sent.get("access-control-request-method")) return undefined;
  const removed = [...sent.keys()].filter((name) => !KEPT.has(name)).map(folded);
  return new Granted(null, Object.freeze(removed.filter((name) => !KEPT.has(name))), []);
}
