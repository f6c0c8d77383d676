import type { Denial, Step } from "countersign";
import { type Decisive, decisive } from "../decisive.js";
import type { DocumentProblem, Outcome, Result } from "../evaluate.js";
import type { Located, Source, Span } from "../policy.js";
import { ADVICE } from "../words/advice.js";
import { numbersOf } from "../words/numbers.js";
import { button, type Child, element, part, prose } from "./dom.js";
import { excerpt, lineOf } from "./excerpt.js";

/** Shows a place of the policy in its field. */
export type Jump = (span: Span) => void;

/** The decision in a word and a sentence, with the part of the policy that decided, and advice for a denial. */
export function showVerdict(result: Result, jump: Jump): HTMLElement {
  const { inspection, problems, policy, outcome, text } = result;
  if (problems.length > 0) return refused(problems, text, jump);
  if (outcome?.missing) return undecided(outcome.missing);
  if (outcome) return decided(result, outcome, jump);
  if (!inspection && policy) return card("calm", "The policy is valid", "Paste a token, or enter a request, to get a decision.");
  if (!inspection) return card("calm", "No input yet", "Paste a token, or choose one of the examples.");
  const fault = inspection.fault === null ? "There is no decision without a policy." : `Every policy denies it: \`${inspection.fault}\`.`;
  const detail = inspection.detail !== null && element("p", "compared", prose(inspection.detail));
  return card("unsure", "UNVERIFIED", "The token is not verified: anyone can create one.", prose(fault), detail);
}

function decided(result: Result, outcome: Outcome, jump: Jump): HTMLElement {
  const { tokenOnly, decision, documentProblems, steps } = outcome;
  const unused = documentProblems.length > 0 && element("ul", "problems", ...documentProblems.map(ofDocument));
  const only = tokenOnly && element("p", "note", "Only the token was checked: there is no request.");
  const deciding = decisive(result);
  const told = numbers(result, deciding);
  const by = deciding && result.source && decidedBy(deciding, result.source, result.text, decision.allow, jump);
  if (decision.allow) {
    const who = decision.principal === null ? "Anonymous: the rule requires no identity." : `As ${decision.principal.subject ?? "a caller without a subject"}, of the issuer ${decision.principal.issuer}.`;
    return card("good", "Allowed", who, only, by, unused);
  }
  if (decision.code === null) return card("good", "Answered", "The gate answers this request itself: no service sees it.", only, unused);
  return card("bad", "Denied", sentence(decision.message), facts(decision), told || compared(steps.at(-1)), only, by, unused, changes(decision));
}

function facts({ code, status, claim, principalName }: Denial): HTMLElement {
  const named = (what: string, name: string | null) => name !== null && element("span", "", `${what} `, element("code", "", name));
  return element("p", "facts", element("code", "code", code), element("span", "", `status ${status}`), named("claim", claim), named("principal", principalName));
}

/** What the failed check compared, in the words of the module. */
function compared(last: Step | undefined): HTMLElement | false {
  return last?.verdict === "fail" && element("p", "compared", element("code", "", last.check), ": ", prose(last.detail));
}

function numbers(result: Result, deciding: Decisive | undefined): HTMLElement | false {
  const told = numbersOf(result, deciding);
  return told.length > 0 && element("p", "numbers", prose(told.join(" ")));
}

/** The rule or issuer, in the policy's own text. */
function decidedBy({ what, pointer, members }: Decisive, source: Source, text: string, allowed: boolean, jump: Jump): HTMLElement {
  const whole = source.span(pointer);
  const marked = members.map((member) => source.span(member));
  const last = lineOf(text, whole);
  const where = button("where", `${whole.line === last ? `line ${last}` : `lines ${whole.line} to ${last}`} · ${pointer}`, () => jump(marked[0] ?? whole));
  return element("div", "by", element("h3", "", DECIDED[what]), where, excerpt(text, whole, marked, allowed ? "good" : "bad"));
}

const DECIDED = { rule: "The rule that decided", issuer: "The issuer in the policy that decided", rules: "The rules: none was found", issuers: "The issuers: none was found" };

function changes({ code }: Denial): HTMLElement {
  const advice = (ADVICE[code] ?? []).map(([who, what]) => element("li", "", element("strong", "", who), " ", prose(what)));
  return element("div", "changes", element("h3", "", advice.length === 1 ? "How to correct it" : "How to correct it: one of these"), element("ul", "", ...advice));
}

function undecided({ what, uris }: NonNullable<Outcome["missing"]>): HTMLElement {
  const fetched = uris.map((uri) => element("code", "uri", uri));
  const [title, field] = what === "keys" ? ["No keys, no decision", "Key set"] : ["No revocations, no decision", "Revocations"];
  return card("unsure", title, `A gate fetches them, but this page fetches nothing. Paste the document from this address into “${field}”:`, ...fetched);
}

function refused(problems: readonly Located[], text: string, jump: Jump): HTMLElement {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return card("bad", "The policy is not usable", `${count}. There is no decision: a service would keep its earlier policy.`, element("ul", "problems", ...problems.map((one) => ofPolicy(one, text, jump, "bad"))));
}

/** The warnings of the policy, with their lines. */
export function showWarnings({ warnings, text }: Result, jump: Jump): HTMLElement[] {
  if (warnings.length === 0) return [];
  return [part("Warnings of the policy", element("ul", "problems", ...warnings.map((one) => ofPolicy(one, text, jump, "unsure"))))];
}

/** A problem of the policy, with its line. */
function ofPolicy({ span, pointer, message, code }: Located, text: string, jump: Jump, tone: "bad" | "unsure"): HTMLElement {
  const where = [span && `line ${span.line}, column ${span.column}`, pointer].filter(Boolean).join(" · ");
  const place = span && button("where", where, () => jump(span));
  // One line is enough: what is wrong begins there.
  const line = span && excerpt(text, { ...span, end: span.start }, [span], tone);
  return element("li", "", place ?? element("span", "where", where), line, prose(message), " ", element("code", "code", code));
}

const NAMES: { readonly [kind: string]: string | undefined } = { jwks: "key set", discovery: "metadata" };

function ofDocument({ kind, pointer, message, code }: DocumentProblem): HTMLElement {
  const where = [NAMES[kind] ?? kind, pointer].filter((text) => text !== "").join(" · ");
  return element("li", "", element("span", "where", where), " ", prose(message), " ", element("code", "code", code));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function card(tone: "good" | "bad" | "unsure" | "calm", title: string, ...children: Child[]): HTMLElement {
  const [first, ...others] = children;
  return element("section", `verdict ${tone}`, element("h2", "", title), element("p", "", first ?? ""), ...others);
}
