// The page: a form on one side, what comes of it on the other.

import { EXAMPLES } from "./examples.js";
import { fill, listen, question } from "./fields.js";
import { type Finding, judge } from "./judge.js";
import { element } from "./show/dom.js";
import { showFindings } from "./show/findings.js";

const form = document.querySelector("form")!;
const findings = document.querySelector("#findings")!;
const announcement = document.querySelector("#announcement")!;
const revocations = document.querySelector<HTMLElement>("#revocations")!;
const circumstances = document.querySelector("details")!;

let asked = 0;

async function show(): Promise<void> {
  const turn = ++asked;
  try {
    const finding = await judge(question(form));
    // Something newer was asked meanwhile.
    if (turn !== asked) return;
    revocations.hidden = !asksForRevocations(finding);
    findings.replaceChildren(...showFindings(finding));
    announcement.textContent = findings.querySelector("h2")?.textContent ?? "";
  } catch (fault) {
    // What was found before must not stand for what is asked now.
    findings.replaceChildren(element("p", "note", "The page failed: nothing was found out."));
    throw fault;
  }
}

function asksForRevocations({ policy }: Finding): boolean {
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
// On a phone what comes of it is worth more than the fields.
if (matchMedia("(max-width: 60rem)").matches) circumstances.open = false;
listen(form, () => void show());
void show();
