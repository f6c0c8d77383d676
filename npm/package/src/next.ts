import { headers } from "next/headers.js";
import { NextResponse } from "next/server.js";
import { answer, withGrant } from "./answer.js";
import type { Denial } from "./decision.js";
import type { Context } from "./gate.js";
import { CountersignError } from "./error.js";
import { assertSecret, type Caller, HEADER, sign, unsign } from "./handover.js";
import { type NextAddress, nextTarget } from "./next-target.js";
import { type GateSource, opener } from "./opener.js";
import type { BypassOptions } from "./preflight.js";

export type { Caller } from "./handover.js";

export interface ProtectOptions extends BypassOptions {
  /** Shared with {@link caller}, so that nobody can send a caller of their own: at least 32 characters. `process.env.COUNTERSIGN_SECRET`. */
  readonly secret?: string | undefined;
  /** Another answer to a denied request, such as a redirect to where one logs in. */
  readonly denied?: (denial: Denial, request: Request) => Response | undefined | Promise<Response | undefined>;
}

/** An upgrade gets no answer from Next.js, which closes the connection only where it would send the client to another server. */
function closing(): Response {
  return new Response(null, { status: 307, headers: { location: "http://denied.invalid/", "cache-control": "no-store" } });
}

/** What `proxy` is called with: `NextRequest`. */
type Asked = Request & NextAddress;

/**
 * The `proxy` of Next.js 16, on Node.js, or the `middleware` on the edge runtime.
 * Denials are answered, granted requests go on with the headers of the grant, and what is granted to somebody is kept by no shared cache.
 * @throws CountersignError for a secret that is too short.
 */
export function protect(gate: GateSource, { secret = process.env["COUNTERSIGN_SECRET"], denied, bypassCorsPreflight }: ProtectOptions = {}) {
  if (secret !== undefined) assertSecret(secret);
  const check = opener(gate, { bypassCorsPreflight });
  return async (request: Asked, event: Context): Promise<Response> => {
    const target = nextTarget(request);
    // The address that Next.js gives out has a host of its own: the one that was asked is in the headers.
    const head = { method: request.method, authority: "", target: target ?? "", headers: request.headers };
    const decision = await check(head, event);
    if (!decision.allow) return request.headers.has("upgrade") ? closing() : ((await denied?.(decision, request)) ?? answer(decision));
    const granted = withGrant(request.headers, decision);
    granted.delete(HEADER);
    if (secret) granted.set(HEADER, await sign(decision.principal, request, secret));
    const response = NextResponse.next({ request: { headers: granted } });
    // A page that was rendered beforehand would be kept for a year, for everybody.
    if (decision.principal) response.headers.set("cache-control", "private, no-cache");
    return response;
  };
}

export interface CallerOptions {
  readonly secret?: string | undefined;
  /** The request of a route handler: what was said of another one is not believed. */
  readonly request?: Request;
}

/**
 * In a server component, a route handler or a server action: who is calling, as {@link protect} has verified it for this request; `null` for nobody.
 * @throws CountersignError where {@link protect} did not run for this request, whatever its headers say; without a secret, or for one that is too short.
 */
export async function caller({ secret = process.env["COUNTERSIGN_SECRET"], request }: CallerOptions = {}): Promise<Caller | null> {
  assertSecret(secret);
  const written = (await headers()).get(HEADER);
  const said = written === null ? undefined : await unsign(written, request, secret);
  if (said === undefined) throw CountersignError.of("caller", "proxy_missing", "the proxy did not run for this request, or too long ago");
  return said;
}

/** Every path, static files too: what a matcher leaves out, a catch-all page and every server action can be reached by. */
export const MATCHER = "/(.*)";
