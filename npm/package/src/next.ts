import { headers } from "next/headers.js";
import { NextResponse } from "next/server.js";
import { answer, targetOf, withGrant } from "./answer.js";
import { type Denial, internalError } from "./decision.js";
import type { Context } from "./options.js";
import { CountersignError } from "./error.js";
import { assertSecret, type Caller, type Callers, HEADER, seal, unseal } from "./handover.js";
import { headOf, type RequestUrl, nextTarget, retargeted } from "./next-target.js";
import { observer } from "./observer.js";
import { type AdapterOptions, type GateSource, opener } from "./opener.js";

export type { Caller } from "./handover.js";

export interface ProtectOptions extends AdapterOptions {
  /** Shared with {@link caller}, so that a client cannot forge a caller: at least 32 characters. Default: `process.env.COUNTERSIGN_SECRET`. */
  readonly secret?: string | undefined;
  /** Another response to a denied request, such as a redirect to the sign-in page. */
  readonly denied?: (denial: Denial, request: Request) => Response | undefined | Promise<Response | undefined>;
}

/** The response to a denied upgrade. Next.js sends no response to an upgrade, and closes the connection only for a redirect to another server. */
function closing(): Response {
  return new Response(null, { status: 307, headers: { location: "http://denied.invalid/", "cache-control": "no-store" } });
}

/**
 * The `proxy` of Next.js 16, on Node.js, or the `middleware` on the edge runtime.
 * It answers denied requests, and passes allowed ones on with the headers of the grant. Responses to an identified caller are not stored by shared caches.
 * @throws CountersignError if the secret is too short, or if the application does not set `skipProxyUrlNormalize: true`: Next.js would then hide URLs.
 */
export function protect(gate: GateSource, { secret = process.env["COUNTERSIGN_SECRET"], denied, ...options }: ProtectOptions = {}) {
  if (secret !== undefined) assertSecret(secret);
  assertWholeAddress();
  if (options.observe) {
    const observe = observer(gate, options);
    return async (request: Request & RequestUrl, event: Context): Promise<Response> => {
      observe(() => headOf(request, nextTarget(request)), event);
      return NextResponse.next();
    };
  }
  const check = opener(gate, options);
  return async (request: Request & RequestUrl, event: Context): Promise<Response> => {
    const target = nextTarget(request);
    const decision = await check(headOf(request, target), event);
    if (!decision.allow) {
      if (request.headers.has("upgrade")) return closing();
      const own = decision.code === null ? undefined : await denied?.(decision, request);
      return own ?? answer(decision);
    }
    const set = targetOf(decision);
    const served = set === undefined ? (target?.served ?? request.url) : retargeted(target, set);
    if (served === undefined) return answer(internalError);
    const granted = withGrant(request.headers, decision);
    granted.delete(HEADER);
    if (secret) granted.set(HEADER, await seal(decision, request, secret));
    // The rewrite makes Next.js serve the checked target: Next.js removes `.rsc` from the URL that the proxy sees, but not from the one that it serves.
    const response = NextResponse.rewrite(served, { request: { headers: granted } });
    // Otherwise shared caches would store a prerendered page for a year.
    if (decision.principal || Object.keys(decision.principals).length > 0) response.headers.set("cache-control", "private, no-cache");
    return response;
  };
}

/** Next.js replaces the second variable in the code that it builds. */
function assertWholeAddress(): void {
  if (!process.env.NEXT_RUNTIME || process.env.__NEXT_NO_MIDDLEWARE_URL_NORMALIZE) return;
  throw CountersignError.of("configuration", "address_hidden", "set `skipProxyUrlNormalize: true` (before Next.js 16 `skipMiddlewareUrlNormalize`) in next.config, and let Next.js bundle this package");
}

export interface CallerOptions {
  readonly secret?: string | undefined;
  /** In a route handler: a caller of another method or path is not accepted. */
  readonly request?: Request;
  /** In a page or a server action, where Next.js does not give the URL: its path, such as `/${org}/dashboard`. A caller of another path is not accepted. */
  readonly path?: string;
}

/**
 * The caller, as {@link protect} has verified it for this request; `null` if anonymous. Pass `request` in a route handler, and `path` in a server component
 * or a server action. Without both, the caller of any request of the last ten seconds is accepted.
 * @throws CountersignError if {@link protect} did not run for this request, whatever its headers contain, or if the secret is absent or too short.
 */
export async function caller(options: CallerOptions = {}): Promise<Caller | null> {
  return (await callers(options)).caller;
}

/** The principals that the rule asks for beside the caller, such as a workload, by their names in the policy: as {@link caller}. */
export async function principals(options: CallerOptions = {}): Promise<Callers["principals"]> {
  return (await callers(options)).principals;
}

async function callers({ secret = process.env["COUNTERSIGN_SECRET"], request, path }: CallerOptions): Promise<Callers> {
  assertSecret(secret);
  const written = (await headers()).get(HEADER);
  const known = written === null ? undefined : await unseal(written, { request, path }, secret);
  if (known === undefined) throw CountersignError.of("caller", "proxy_missing", "the proxy did not run for this request, or more than ten seconds ago");
  return known;
}

/**
 * The value for `config.matcher`, where Next.js needs it as a literal. It matches every path, static files too: a path that a matcher leaves out can reach a
 * catch-all page and every server action. `"/(.*)"` does not match the root of a `basePath`. With `i18n` and without `locale: false`, a matcher
 * does not match paths below `/_next/`.
 */
export const MATCHER = { source: "/:path*", locale: false } as const;
