import { answer, withGrant } from "./answer.js";
import { type Grant, internalError } from "./decision.js";
import type { Context as GateContext, Gate } from "./gate.js";

/** The variables of a Hono app behind the gate: `new Hono<{ Variables: GateVariables }>()`. */
export interface GateVariables {
  /** Who is calling and what that grants. */
  grant: Grant;
}

/** The part of Hono's context that the middleware needs. */
export interface HonoContext {
  readonly req: { raw: Request };
  readonly executionCtx: GateContext;
  set(name: "grant", grant: Grant): void;
}

/** Middleware for Hono: denials are answered, granted requests go on with `c.get("grant")` and the headers of the grant. */
export function countersign(gate: Gate | Promise<Gate>) {
  return async (c: any, next: () => Promise<void>): Promise<Response | void> => {
    const context: HonoContext = c;
    let decision;
    try {
      decision = await (await gate).check(context.req.raw, execution(context));
    } catch {
      // The policy did not open: whoever awaits the gate hears why.
      decision = internalError;
    }
    if (!decision.allow) return answer(decision);
    context.req.raw = new Request(context.req.raw, { headers: withGrant(context.req.raw.headers, decision) });
    context.set("grant", decision);
    await next();
  };
}

/** Outside of Workers there is none, and asking for it throws. */
function execution(context: HonoContext): GateContext {
  try {
    const execution = context.executionCtx;
    return { waitUntil: (work) => execution.waitUntil?.(work) };
  } catch {
    return {};
  }
}
