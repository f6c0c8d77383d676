import { headers } from "next/headers.js";
import { NextResponse } from "next/server.js";
import { answer, withGrant } from "./answer.js";
import type { Denial } from "./decision.js";
import type { Context } from "./gate.js";
import { assertSecret, type Caller, HEADER, sign, unsign } from "./handover.js";
import { type GateSource, opener } from "./opener.js";

export type { Caller } from "./handover.js";

export interface ProtectOptions {
  /** Shared with {@link caller}, so that nobody can send a caller of their own: at least 32 characters. `process.env.COUNTERSIGN_SECRET`. */
  readonly secret?: string | undefined;
  /** Another answer to a denied request, such as a redirect to where one logs in. */
  readonly denied?: (denial: Denial, request: Request) => Response | undefined | Promise<Response | undefined>;
}

/**
 * The `proxy` of Next.js 16, on Node.js, or the `middleware` on the edge runtime.
 * Denials are answered, granted requests go on with the headers of the grant.
 * @throws CountersignError for a secret that is too short.
 */
export function protect(gate: GateSource, { secret = process.env["COUNTERSIGN_SECRET"], denied }: ProtectOptions = {}) {
  if (secret !== undefined) assertSecret(secret);
  const check = opener(gate);
  return async (request: Request, event: Context): Promise<Response> => {
    const decision = await check(request, event);
    if (!decision.allow) return (await denied?.(decision, request)) ?? answer(decision);
    const granted = withGrant(request.headers, decision);
    granted.delete(HEADER);
    if (secret && decision.principal) granted.set(HEADER, await sign(decision.principal, secret));
    return NextResponse.next({ request: { headers: granted } });
  };
}

/**
 * In a server component, a route handler or a server action: who is calling, as {@link protect} has verified it for this request; `null` for nobody.
 * A header that somebody else wrote is nobody, whether or not the proxy's matcher covers the path.
 * @throws CountersignError without a secret, or for one that is too short.
 */
export async function caller({ secret = process.env["COUNTERSIGN_SECRET"] }: { secret?: string | undefined } = {}): Promise<Caller | null> {
  assertSecret(secret);
  const written = (await headers()).get(HEADER);
  return written === null ? null : unsign(written, secret);
}

/** Every path but the files that Next.js serves as they are. Next.js reads `config.matcher` without running anything, so it has to be copied there. */
export const MATCHER = "/((?!_next/static|_next/image|favicon.ico).*)";
