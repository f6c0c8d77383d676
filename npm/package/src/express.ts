import { answerBody, answerHeaders } from "./answer.js";
import { type Decision, type Grant, internalError } from "./decision.js";
import type { Gate } from "./gate.js";
import { applyGrant, head, type Incoming } from "./node.js";

/** The part of Express's request that the gate reads, and what it adds. */
export interface GatedRequest extends Incoming {
  readonly originalUrl?: string;
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
 * The gate sees the whole target, also in a mounted router.
 */
export function countersign(gate: Gate | Promise<Gate>) {
  return (request: GatedRequest, response: DeniedResponse, next: (fault?: unknown) => void): void => {
    const decided = decide(gate, request).then((decision) => {
      if (!decision.allow) {
        response.statusCode = decision.status;
        for (const [name, value] of answerHeaders(decision)) response.setHeader(name, value);
        response.end(answerBody(decision));
        return;
      }
      applyGrant(request, decision);
      request.grant = decision;
      next();
    });
    decided.catch(next);
  };
}

async function decide(gate: Gate | Promise<Gate>, request: GatedRequest): Promise<Decision> {
  try {
    return await (await gate).check(head(request, request.originalUrl));
  } catch {
    // The policy did not open: whoever awaits the gate hears why.
    return internalError;
  }
}
