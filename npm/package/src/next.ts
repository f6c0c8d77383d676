import { headers } from "next/headers.js";
import { NextResponse } from "next/server.js";
import { answer, withGrant } from "./answer.js";
import type { Denial } from "./decision.js";
import type { Context } from "./gate.js";
import { CountersignError } from "./error.js";
import { assertSecret, type Caller, HEADER, seal, unseal } from "./handover.js";
import { type Asked, nextTarget } from "./next-target.js";
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

/**
 * The `proxy` of Next.js 16, on Node.js, or the `middleware` on the edge runtime.
 * Denials are answered, granted requests go on with the headers of the grant, and what is granted to somebody is kept by no shared cache.
 * @throws CountersignError for a secret that is too short, and in an application without `skipProxyUrlNormalize: true`: it would hide addresses.
 */
export function protect(gate: GateSource, { secret = process.env["COUNTERSIGN_SECRET"], denied, bypassCorsPreflight }: ProtectOptions = {}) {
  if (secret !== undefined) assertSecret(secret);
  assertWholeAddress();
  const check = opener(gate, { bypassCorsPreflight });
  return async (request: Request & Asked, event: Context): Promise<Response> => {
    const target = nextTarget(request);
    // The address that Next.js gives out has a host of its own: the one that was asked is in the headers.
    const head = { method: request.method, authority: "", target: target?.judged ?? "", headers: request.headers };
    const decision = await check(head, event);
    if (!decision.allow) return request.headers.has("upgrade") ? closing() : ((await denied?.(decision, request)) ?? answer(decision));
    const granted = withGrant(request.headers, decision);
    granted.delete(HEADER);
    if (secret) granted.set(HEADER, await seal(decision.principal, request, secret));
    // What was judged is what is served: Next.js takes `.rsc` from the address that it gives out, not from the one that it serves.
    const response = NextResponse.rewrite(target?.served ?? request.url, { request: { headers: granted } });
    // A page that was rendered beforehand would be kept for a year, for everybody.
    if (decision.principal) response.headers.set("cache-control", "private, no-cache");
    return response;
  };
}

/** Next.js writes this into what it builds. */
function assertWholeAddress(): void {
  if (!process.env.NEXT_RUNTIME || process.env.__NEXT_NO_MIDDLEWARE_URL_NORMALIZE) return;
  throw CountersignError.of("configuration", "address_hidden", "next.config needs `skipProxyUrlNormalize: true` (before Next.js 16 `skipMiddlewareUrlNormalize`), and builds this package in");
}

export interface CallerOptions {
  readonly secret?: string | undefined;
  /** In a route handler: what was said of another method or path is not believed. */
  readonly request?: Request;
  /** In a page or a server action, to which Next.js does not say it: the path of its address, such as `/${org}/dashboard`. What was said of another one is not believed. */
  readonly path?: string;
}

/**
 * In a route handler with `request`, in a server component or a server action with `path`: who is calling, as {@link protect} has verified it for
 * this request; `null` for nobody. With neither, what was said of another request is believed for ten seconds.
 * @throws CountersignError where {@link protect} did not run for this request, whatever its headers say; without a secret, or for one that is too short.
 */
export async function caller({ secret = process.env["COUNTERSIGN_SECRET"], request, path }: CallerOptions = {}): Promise<Caller | null> {
  assertSecret(secret);
  const written = (await headers()).get(HEADER);
  const said = written === null ? undefined : await unseal(written, { request, path }, secret);
  if (said === undefined) throw CountersignError.of("caller", "proxy_missing", "the proxy did not run for this request, or too long ago");
  return said;
}

/**
 * For `config.matcher`, where it has to be written out: every path, static files too, as by what a matcher leaves out a catch-all page and every
 * server action can be reached. `"/(.*)"` leaves out the root below a `basePath`, and with `i18n` without `locale` what is below `/_next/`.
 */
export const MATCHER = { source: "/:path*", locale: false } as const;
