import { answerBody, answerHeaders } from "./answer.js";
import type { Grant } from "./decision.js";
import { applyGrant } from "./apply.js";
import type { Incoming } from "./incoming.js";
import { head } from "./node.js";
import { observer } from "./observer.js";
import { type AdapterOptions, type GateSource, opener } from "./opener.js";

declare global {
  namespace Express {
    interface Request {
      /** The grant, for handlers behind the gate. */
      grant?: Grant;
    }
  }
}

/** The part of Express's request that the gate reads, and the `grant` that it adds. */
export interface GatedRequest extends Incoming {
  readonly originalUrl?: string;
  readonly app?: { enabled?(setting: string): boolean };
  /** The path at which the router is mounted. */
  readonly baseUrl?: string;
  /** The grant of an allowed request. */
  grant?: Grant;
}

/** The part of Express's response that a denial is written to. */
export interface DeniedResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/**
 * Middleware for Express, Connect and plain `http`. It answers denied requests, and passes allowed ones on with `request.grant` and the headers of the grant.
 * The gate reads the whole target, also in a mounted router. If an earlier middleware has rewritten the target, the request is refused, because the
 * routed target is then not the one that was sent.
 */
export function countersign(gate: GateSource, options: AdapterOptions = {}): (request: GatedRequest, response: DeniedResponse, next: (fault?: unknown) => void) => Promise<void> {
  if (options.observe) {
    const observe = observer(gate, options);
    return async (request, _, next) => {
      observe(() => head(request, target(request)));
      queueMicrotask(() => next());
    };
  }
  let isCaseExact = false;
  const check = opener(gate, options, (opened) => void (isCaseExact = opened.isCaseExact()));
  return async (request, response, next) => {
    // Warn once if the router treats `/Admin` and `/admin` alike although the policy says that it does not.
    if (isCaseExact && request.app?.enabled?.("case sensitive routing") === false) {
      isCaseExact = false;
      console.warn("countersign: the policy has `path_case: exact`, but Express ignores case in paths: set `case sensitive routing`, or remove `path_case`");
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
    // A microtask, so that an error of a later handler is not caught here and `next` is called only once.
    queueMicrotask(() => (fault === undefined ? next() : next(fault)));
  };
}

/** The target that was sent, if it is also the one that is routed; else the empty string, which the gate refuses. */
function target({ url = "", originalUrl = url, baseUrl = "" }: GatedRequest): string {
  const [sent, routed] = [originalUrl, url].map((address) => address.replace(/^https?:\/\/[^/?#]*/, "")) as [string, string];
  // If the mount path is the whole path, Express sets `url` to `/`.
  const whole = baseUrl !== "" && /^\/(\?|$)/.test(routed) ? [baseUrl + routed, baseUrl + routed.slice(1)] : [baseUrl + routed];
  return whole.includes(sent) ? originalUrl : "";
}
