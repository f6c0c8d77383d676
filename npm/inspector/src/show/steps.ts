import type { Step } from "countersign";
import type { Judgement } from "../judge.js";
import { QUESTIONS } from "../words/checks.js";
import { element, part, prose, spoken } from "./dom.js";

/** The marks of `countersign explain`. */
const MARKS = { pass: "✓", fail: "✗", skip: "–", wait: "…" };
const SPOKEN = { pass: "passed", fail: "failed", skip: "skipped", wait: "waits" };

/** Every check that was made, in order. */
export function showSteps({ steps }: Judgement): HTMLElement {
  const last = steps.at(-1);
  const stopped = last && (last.verdict === "fail" || last.verdict === "wait");
  const after = stopped && element("p", "note", last.verdict === "fail" ? "It stopped here: what comes after was not looked at." : "It waits here for documents.");
  return part("Checks, in order", element("ol", "steps", ...steps.map(row)), after);
}

function row({ check, verdict, saw, code }: Step): HTMLElement {
  const mark = element("span", "mark", MARKS[verdict]);
  mark.ariaHidden = "true";
  return element(
    "li",
    verdict,
    mark,
    element("span", "check", check, spoken(`, ${SPOKEN[verdict]}: `)),
    element("span", "saw", prose(saw), code !== null && " ", code !== null && element("code", "code", code)),
    element("span", "question", prose(QUESTIONS.get(check) ?? "")),
  );
}
