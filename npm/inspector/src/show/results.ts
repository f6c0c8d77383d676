import type { Result } from "../evaluate.js";
import { showAnswer } from "./answer.js";
import { showContents } from "./contents.js";
import { element, part } from "./dom.js";
import { showSteps } from "./steps.js";
import { showTimeline } from "./timeline.js";
import { showVerdict } from "./verdict.js";

/** All results of an input, the verdict first. */
export function showResults(result: Result): Node[] {
  const { inspection, outcome, policy, nowMs } = result;
  const shown: Node[] = [showVerdict(result)];
  if (outcome) shown.push(...showAnswer(outcome, nowMs), showSteps(outcome));
  if (inspection?.claims) shown.push(...showTimeline(inspection.claims, nowMs, policy && (policy.leeway_s ?? LEEWAY_S)));
  if (inspection) shown.push(...showContents(inspection, isSigned(result), nowMs));
  if (shown.length === 1 && !result.policy && result.problems.length === 0) shown.push(howTo());
  return shown;
}

/** The leeway of a policy that sets none. */
const LEEWAY_S = 30;

/** Whether the signature is valid, whatever the decision is. */
function isSigned({ outcome }: Result): boolean {
  return outcome?.steps.some(({ check, verdict }) => check === "signature" && verdict === "pass") ?? false;
}

function howTo(): HTMLElement {
  const step = (what: string, gives: string) => element("li", "", element("strong", "", what), ` ${gives}`);
  return part(
    "What to paste",
    element(
      "ol",
      "how",
      step("A token:", "the page shows its contents, not verified."),
      step("A policy:", "the page shows whether the token is valid, with every check in order."),
      step("The issuer’s key set:", "a gate fetches it, but this page fetches nothing."),
      step("A request:", "the page shows whether it is allowed, and the response to the client."),
    ),
  );
}
