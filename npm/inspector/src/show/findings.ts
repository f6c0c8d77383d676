import type { Finding } from "../judge.js";
import { showAnswer } from "./answer.js";
import { showContents } from "./contents.js";
import { element, part } from "./dom.js";
import { showSteps } from "./steps.js";
import { showTimeline } from "./timeline.js";
import { showVerdict } from "./verdict.js";

/** Everything that comes of a question, from the verdict down to the bytes. */
export function showFindings(finding: Finding): Node[] {
  const { inspection, judgement, policy, nowMs } = finding;
  const shown: Node[] = [showVerdict(finding)];
  if (judgement) shown.push(...showAnswer(judgement, nowMs), showSteps(judgement));
  if (inspection?.claims) shown.push(...showTimeline(inspection.claims, nowMs, policy && (policy.leeway_s ?? LEEWAY_S)));
  if (inspection) shown.push(...showContents(inspection, isSigned(finding), nowMs));
  if (shown.length === 1 && !finding.policy && finding.problems.length === 0) shown.push(howTo());
  return shown;
}

/** Where the policy says nothing. */
const LEEWAY_S = 30;

/** Whether what the token says was signed by its issuer, whatever came of it. */
function isSigned({ judgement }: Finding): boolean {
  return judgement?.steps.some(({ check, verdict }) => check === "signature" && verdict === "pass") ?? false;
}

function howTo(): HTMLElement {
  const step = (what: string, gives: string) => element("li", "", element("strong", "", what), ` ${gives}`);
  return part(
    "What to paste",
    element(
      "ol",
      "how",
      step("A token", "shows what it says of itself. Nobody has verified that."),
      step("A policy with it", "says whether the token is good, every check in order."),
      step("Its issuer’s key set", "takes the place of what a gate would fetch: this page fetches nothing."),
      step("A request", "says whether it may pass, and what its client is answered."),
    ),
  );
}
