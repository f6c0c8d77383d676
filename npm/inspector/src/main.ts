// The page: the form on one side, the results on the other.

import { Brief } from "./brief.js";
import { decisive } from "./decisive.js";
import { Editor, type Mark } from "./editor.js";
import { EXAMPLES } from "./examples.js";
import { type Entries, field, fill, listen, noteKeys, readForm } from "./fields.js";
import { type Result, evaluate } from "./evaluate.js";
import { openMaker } from "./making/maker.js";
import type { Located } from "./policy.js";
import { element } from "./show/dom.js";
import { showResults } from "./show/results.js";
import { showTokenHint } from "./paste/token-hint.js";

const form = document.querySelector("form")!;
const results = document.querySelector<HTMLElement>("#results")!;
const announcement = document.querySelector("#announcement")!;
const revocations = document.querySelector<HTMLElement>("#revocations")!;
const optionalFields = document.querySelector("details")!;
const editor = new Editor(document.querySelector("#policy")!, document.querySelector("#policy-lines")!);
const brief = new Brief(document.querySelector("#brief")!, results);

let latest = 0;

async function show(): Promise<void> {
  const turn = ++latest;
  try {
    const input = readForm(form);
    showTokenHint(form, input.read, change);
    const result = await evaluate(input);
    // The input has changed meanwhile.
    if (turn !== latest) return;
    revocations.hidden = !asksForRevocations(result);
    noteKeys(form, result.keys);
    const shown = showResults(result, (span) => editor.jump(span));
    results.replaceChildren(...shown);
    brief.show(results.firstElementChild!);
    markPolicy(result);
    announcement.textContent = results.querySelector("h2")?.textContent ?? "";
  } catch (fault) {
    // The results of an earlier input must not stay next to the current one.
    results.replaceChildren(element("p", "note", "The page failed, so there is no result."));
    throw fault;
  }
}

function asksForRevocations({ policy }: Result): boolean {
  return policy?.issuers.some((issuer) => issuer.revocations) ?? false;
}

/** Marks the lines with problems and warnings, or those that decided. */
function markPolicy(result: Result): void {
  const { problems, warnings, source, outcome } = result;
  const deciding = decisive(result);
  // A list in which nothing was found is no mark.
  const members = deciding && (deciding.members.length > 0 ? deciding.members : deciding.what === "rule" ? [deciding.pointer] : []);
  const tone = outcome?.decision.allow ? "good" : "bad";
  const decided = (members ?? []).flatMap((pointer): Mark[] => (source ? [{ span: source.span(pointer), tone }] : []));
  editor.mark([...starts(warnings, "unsure"), ...(problems.length > 0 ? starts(problems, "bad") : decided)]);
}

/** Marks the lines where problems begin. */
function starts(problems: readonly Located[], tone: Mark["tone"]): Mark[] {
  return problems.flatMap(({ span }) => (span ? [{ span: { ...span, end: span.start }, tone }] : []));
}

/** Puts values into the form, as if they were pasted. */
function change(entries: Entries): void {
  for (const [name, value] of Object.entries(entries)) field(form, name).value = value ?? "";
  unpress();
  void show();
}

function unpress(): void {
  document.querySelector('#examples [aria-pressed="true"]')?.setAttribute("aria-pressed", "false");
}

function choose(button: HTMLElement, entries: Entries): void {
  fill(form, entries);
  for (const other of document.querySelectorAll("#examples button")) other.ariaPressed = String(other === button);
  void show();
}

for (const { name, entries } of EXAMPLES) {
  const button = element("button", "", name);
  button.type = "button";
  button.ariaPressed = "false";
  button.addEventListener("click", () => choose(button, entries));
  document.querySelector("#examples")!.append(button);
}
const clear = document.querySelector<HTMLElement>("#clear")!;
clear.addEventListener("click", () => choose(clear, {}));
form.addEventListener("input", unpress);
openMaker(form, change);
// On a phone the results are more important than the optional fields.
if (matchMedia("(max-width: 60rem)").matches) optionalFields.open = false;
listen(form, () => void show());
void show();
