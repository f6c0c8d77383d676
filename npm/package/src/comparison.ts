import type { Code } from "./code.js";
import type { Decision } from "./decision.js";
import type { Comparison } from "./events.js";
import type { ComparisonCount } from "./status.js";
import type { Facts } from "./written.js";

/** A decision, and a hash of what it brings to the backend if it is allowed. */
export interface Compared {
  readonly decision: Decision;
  readonly facts: Pick<Facts, "effects">;
}

/** `candidate` is `undefined` if it could not decide without waiting. */
export function compare(inForce: Compared, candidate: Compared | undefined): Comparison {
  const [now, then] = [kindOf(inForce.decision), candidate && kindOf(candidate.decision)];
  if (candidate === undefined || isUnavailable(inForce.decision) || isUnavailable(candidate.decision)) return "not_compared";
  if (now === "deny" && then !== "deny") return "would_allow";
  if (now !== "deny" && then === "deny") return "would_deny";
  if (now !== then) return "differs";
  if (now === "deny") return codeOf(inForce.decision) === codeOf(candidate.decision) ? "agree" : "differs";
  return now === "answer" || inForce.facts.effects === candidate.facts.effects ? "agree" : "differs";
}

export function codeOf(decision: Decision): Code | null {
  return decision.allow ? null : decision.code;
}

function kindOf(decision: Decision): "allow" | "deny" | "answer" {
  if (decision.allow) return "allow";
  return decision.code === null ? "answer" : "deny";
}

function isUnavailable(decision: Decision): boolean {
  return kindOf(decision) === "deny" && !decision.allow && decision.status === 503;
}

/** So many different comparisons are counted apart. */
const MOST = 1_000;

/** Counts comparisons. */
export class Counts {
  readonly #counts = new Map<string, ComparisonCount>();
  other = 0;

  add(comparison: Comparison, rule: string | null, code: Code | null): void {
    const key = JSON.stringify([comparison, rule, code]);
    const { count } = this.#counts.get(key) ?? { count: 0 };
    if (count === 0 && this.#counts.size >= MOST) this.other++;
    else this.#counts.set(key, { comparison, rule, code, count: count + 1 });
  }

  all(): ComparisonCount[] {
    return [...this.#counts.values()];
  }
}
