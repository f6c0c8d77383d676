import type { Result } from "../evaluate.js";
import { DEFAULTS } from "../limits.js";
import { showAnswer } from "./answer.js";
import { showClaims, showHeader } from "./contents.js";
import { element, part } from "./dom.js";
import { showSteps } from "./steps.js";
import { showTimeline } from "./timeline.js";
import { showToken } from "./token.js";
import { type Jump, showVerdict, showWarnings } from "./verdict.js";

/** All results of an input: the verdict, what the token says, what comes out, and the checks. `jump` shows a place of the policy in its field. */
export function showResults(result: Result, jump: Jump): Node[] {
  const { token, inspection, outcome, policy, nowMs } = result;
  const signed = isSigned(result);
  const shown: Node[] = [showVerdict(result, jump)];
  if (inspection) shown.push(showClaims(inspection, signed, nowMs));
  if (inspection?.claims) shown.push(...showTimeline(inspection.claims, nowMs, policy && (policy.leeway_s ?? DEFAULTS["leeway_s"])));
  if (inspection) shown.push(showHeader(inspection, signed), showToken(token, inspection, signed));
  shown.push(...showWarnings(result, jump));
  if (outcome) shown.push(...showAnswer(outcome, nowMs), showSteps(outcome));
  if (shown.length === 1 && !result.policy && result.problems.length === 0) shown.push(howTo());
  return shown;
}

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
      step("A token:", "the page shows its contents, not verified. A header, a cookie, a curl command or the response of a token endpoint will do."),
      step("A policy:", "the page shows whether the token is valid, with every check in order."),
      step("The issuer’s key set:", "a gate fetches it, but this page fetches nothing. A single JWK or PEM will do."),
      step("A request:", "the page shows whether it is allowed, and the response to the client."),
    ),
  );
}
