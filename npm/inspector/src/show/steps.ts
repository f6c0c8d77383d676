import type { Step } from "countersign";
import type { Outcome } from "../evaluate.js";
import { QUESTIONS } from "../words/checks.js";
import { element, part, prose, spoken } from "./dom.js";

/** The marks of `countersign explain`. */
const MARKS = { pass: "✓", fail: "✗", skip: "–", wait: "…" };
const SPOKEN = { pass: "passed", fail: "failed", skip: "skipped", wait: "waits" };

/** All checks that were made, in order. */
export function showSteps({ steps }: Outcome): HTMLElement {
  const last = steps.at(-1);
  const stopped = last && (last.verdict === "fail" || last.verdict === "wait");
  const after = stopped && element("p", "note", last.verdict === "fail" ? "The checks ended here." : "The checks wait here for documents.");
  return part("Checks, in order", element("ol", "steps", ...steps.map(row)), after);
}

function row({ check, verdict, detail, code }: Step): HTMLElement {
  const mark = element("span", "mark", MARKS[verdict]);
  mark.ariaHidden = "true";
  return element(
    "li",
    verdict,
    mark,
    element("span", "check", check, spoken(`, ${SPOKEN[verdict]}: `)),
    element("span", "detail", prose(detail), code !== null && " ", code !== null && element("code", "code", code)),
    element("span", "question", prose(QUESTIONS.get(check) ?? "")),
  );
}
