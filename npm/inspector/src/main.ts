// The page: the form on one side, the results on the other.

import { EXAMPLES } from "./examples.js";
import { fill, listen, readForm } from "./fields.js";
import { type Result, evaluate } from "./evaluate.js";
import { element } from "./show/dom.js";
import { showResults } from "./show/results.js";

const form = document.querySelector("form")!;
const results = document.querySelector("#results")!;
const announcement = document.querySelector("#announcement")!;
const revocations = document.querySelector<HTMLElement>("#revocations")!;
const optionalFields = document.querySelector("details")!;

let latest = 0;

async function show(): Promise<void> {
  const turn = ++latest;
  try {
    const result = await evaluate(readForm(form));
    // The input has changed meanwhile.
    if (turn !== latest) return;
    revocations.hidden = !asksForRevocations(result);
    results.replaceChildren(...showResults(result));
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

function choose(button: HTMLElement, entries: Parameters<typeof fill>[1]): void {
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
form.addEventListener("input", () => document.querySelector('#examples [aria-pressed="true"]')?.setAttribute("aria-pressed", "false"));
// On a phone the results are more important than the optional fields.
if (matchMedia("(max-width: 60rem)").matches) optionalFields.open = false;
listen(form, () => void show());
void show();
