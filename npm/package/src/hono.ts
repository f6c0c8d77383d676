import { answer, targetOf, withGrant, withTarget } from "./answer.js";
import { applyGrant } from "./apply.js";
import type { Grant } from "./decision.js";
import type { Context as GateContext } from "./options.js";
import type { Incoming } from "./incoming.js";
import { observer } from "./observer.js";
import { type AdapterOptions, type GateSource, opener } from "./opener.js";
import { type Head, headOf } from "./request.js";
import { connectionOf } from "./socket.js";

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
export function countersign(gate: GateSource, options: AdapterOptions = {}) {
  if (options.observe) {
    const observe = observer(gate, options);
    return async (c: any, next: () => Promise<void>): Promise<Response | void> => {
      observe(() => sent(c), execution(c));
      await next();
    };
  }
  const check = opener(gate, options);
  return async (c: any, next: () => Promise<void>): Promise<Response | void> => {
    const context: HonoContext = c;
    const { incoming } = context.env ?? {};
    const decision = await check(sent(context), execution(context));
    if (!decision.allow) return answer(decision);
    // A handler may read it.
    if (incoming?.rawHeaders) applyGrant(incoming, decision);
    const { raw } = context.req;
    context.req.raw = new Request(raw, { headers: withGrant(raw.headers, decision) });
    if (targetOf(decision) !== undefined) context.req.raw = new Request(withTarget(raw.url, decision), context.req.raw);
    context.set("grant", decision);
    await next();
  };
}

/** The adapter for Node.js also exposes the original request, whose connection is known. */
function sent({ req, env }: HonoContext): Request | Head {
  return (env?.incoming?.rawHeaders && headOf(req.raw, connectionOf(env.incoming))) ?? req.raw;
}

/** Outside Workers there is no execution context, and Hono throws when it is read. */
function execution(context: HonoContext): GateContext {
  try {
    return context.executionCtx;
  } catch {
    return {};
  }
}
