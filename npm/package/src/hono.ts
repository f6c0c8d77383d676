import { answer, targetOf, withGrant, withTarget } from "./answer.js";
import { applyGrant } from "./apply.js";
import type { Grant } from "./decision.js";
import type { Context as GateContext } from "./gate.js";
import type { Incoming } from "./incoming.js";
import { type GateSource, opener } from "./opener.js";
import type { BypassOptions } from "./preflight.js";

declare module "hono" {
  interface ContextVariableMap {
    /** The grant, for handlers behind the gate. */
    grant: Grant;
  }
}

/** The part of Hono's context that the middleware needs. */
export interface HonoContext {
  readonly req: { raw: Request };
  readonly env?: { readonly incoming?: Incoming } | undefined;
  readonly executionCtx: GateContext;
  set(name: "grant", grant: Grant): void;
}

/** Middleware for Hono. It answers denied requests, and passes allowed ones on with `c.get("grant")` and the headers of the grant. */
export function countersign(gate: GateSource, options: BypassOptions = {}) {
  const check = opener(gate, options);
  return async (c: any, next: () => Promise<void>): Promise<Response | void> => {
    const context: HonoContext = c;
    const decision = await check(context.req.raw, execution(context));
    if (!decision.allow) return answer(decision);
    // The adapter for Node.js also exposes the original request, which a handler may read.
    const { incoming } = context.env ?? {};
    if (incoming?.rawHeaders) applyGrant(incoming, decision);
    const { raw } = context.req;
    context.req.raw = new Request(raw, { headers: withGrant(raw.headers, decision) });
    if (targetOf(decision) !== undefined) context.req.raw = new Request(withTarget(raw.url, decision), context.req.raw);
    context.set("grant", decision);
    await next();
  };
}

/** Outside Workers there is no execution context, and Hono throws when it is read. */
function execution(context: HonoContext): GateContext {
  try {
    return context.executionCtx;
  } catch {
    return {};
  }
}
