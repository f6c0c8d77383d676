import { answerBody, answerHeaders } from "./answer.js";
import type { Grant } from "./decision.js";
import { applyGrant } from "./apply.js";
import { head, type Incoming } from "./node.js";
import { type GateSource, opener } from "./opener.js";
import type { BypassOptions } from "./preflight.js";

declare global {
  namespace Express {
    interface Request {
      /** Who is calling and what that grants, behind the gate. */
      grant?: Grant;
    }
  }
}

/** The part of Express's request that the gate reads, and what it adds. */
export interface GatedRequest extends Incoming {
  readonly originalUrl?: string;
  readonly app?: { enabled?(setting: string): boolean };
  /** Where the router is mounted. */
  readonly baseUrl?: string;
  /** Who is calling and what that grants. */
  grant?: Grant;
}

/** The part of Express's response that a denial is written to. */
export interface DeniedResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/**
 * Middleware for Express, Connect and plain `http`: denials are answered, granted requests go on with `request.grant` and the headers of the grant.
 * The gate sees the whole target, also in a router that is mounted. Where an earlier middleware has rewritten it, what is routed is not what was sent:
 * that is refused.
 */
export function countersign(gate: GateSource, options: BypassOptions = {}) {
  let isCaseExact = false;
  const check = opener(gate, options, (opened) => void (isCaseExact = opened.isCaseExact()));
  return async (request: GatedRequest, response: DeniedResponse, next: (fault?: unknown) => void): Promise<void> => {
    // Once, where the router takes `/Admin` for `/admin` and the policy has said that it does not.
    if (isCaseExact && request.app?.enabled?.("case sensitive routing") === false) {
      isCaseExact = false;
      console.warn("countersign: the policy says `path_case: exact`, and Express routes without regard to case: set `case sensitive routing`, or leave `path_case` out");
    }
    let fault: unknown;
    try {
      const decision = await check(head(request, target(request)));
      if (!decision.allow) {
        response.statusCode = decision.status;
        for (const [name, value] of answerHeaders(decision)) response.setHeader(name, value);
        response.end(answerBody(decision));
        return;
      }
      applyGrant(request, decision);
      request.grant = decision;
    } catch (caught) {
      fault = caught ?? new Error("the gate failed");
    }
    // What is behind the gate runs once, and what it throws is thrown as if there were no gate.
    queueMicrotask(() => (fault === undefined ? next() : next(fault)));
  };
}

/** What was sent, if that is what is routed, below the path of the mounted router; else nothing, which the gate refuses. */
function target({ url = "", originalUrl = url, baseUrl = "" }: GatedRequest): string {
  const [sent, routed] = [originalUrl, url].map((address) => address.replace(/^https?:\/\/[^/?#]*/, "")) as [string, string];
  // The router writes a slash where it has taken everything away.
  const whole = baseUrl !== "" && /^\/(\?|$)/.test(routed) ? [baseUrl + routed, baseUrl + routed.slice(1)] : [baseUrl + routed];
  return whole.includes(sent) ? originalUrl : "";
}
