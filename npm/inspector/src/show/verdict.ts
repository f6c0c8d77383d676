import type { Denial } from "countersign";
import type { Result, Outcome } from "../evaluate.js";
import type { Located } from "../policy.js";
import { ADVICE } from "../words/advice.js";
import { type Child, element, prose } from "./dom.js";

/** The decision in a word and a sentence, with advice for a denial. */
export function showVerdict(result: Result): HTMLElement {
  const { inspection, problems, policy, outcome } = result;
  if (problems.length > 0) return refused(problems);
  if (outcome?.missing) return undecided(outcome.missing);
  if (outcome) return decided(outcome);
  if (!inspection && policy) return card("calm", "The policy is valid", "Paste a token, or enter a request, to get a decision.");
  if (!inspection) return card("calm", "No input yet", "Paste a token, or choose one of the examples.");
  const fault = inspection.fault === null ? "There is no decision without a policy." : `Every policy denies it: \`${inspection.fault}\`.`;
  return card("unsure", "UNVERIFIED", "The token is not verified: anyone can create one.", prose(fault));
}

function decided({ tokenOnly, decision, documentProblems }: Outcome): HTMLElement {
  const unused = documentProblems.length > 0 && element("ul", "problems", ...documentProblems.map((found) => problem(NAMES[found.kind], { ...found, place: "" })));
  const only = tokenOnly && element("p", "note", "Only the token was checked: there is no request.");
  if (decision.allow) {
    const who = decision.principal === null ? "Anonymous: the rule requires no identity." : `As ${decision.principal.subject ?? "a caller without a subject"}, of the issuer ${decision.principal.issuer}.`;
    return card("good", "Allowed", who, only, unused);
  }
  if (decision.code === null) return card("good", "Answered", "The gate answers this request itself: no service sees it.", only, unused);
  return card("bad", "Denied", sentence(decision.message), facts(decision), only, unused, changes(decision));
}

const NAMES = { jwks: "key set", discovery: "metadata", revocations: "revocations" };

function facts({ code, status, claim }: Denial): HTMLElement {
  return element("p", "facts", element("code", "code", code), element("span", "", `status ${status}`), claim !== null && element("span", "", "claim ", element("code", "", claim)));
}

function changes({ code }: Denial): HTMLElement {
  const advice = ADVICE[code].map(([who, what]) => element("li", "", element("strong", "", who), " ", prose(what)));
  return element("div", "changes", element("h3", "", advice.length === 1 ? "How to correct it" : "How to correct it: one of these"), element("ul", "", ...advice));
}

function undecided({ what, uris }: NonNullable<Outcome["missing"]>): HTMLElement {
  const fetched = uris.map((uri) => element("code", "uri", uri));
  const [title, field] = what === "keys" ? ["No keys, no decision", "Key set"] : ["No revocations, no decision", "Revocations"];
  return card("unsure", title, `A gate fetches them, but this page fetches nothing. Paste the document from this address into “${field}”:`, ...fetched);
}

function refused(problems: readonly Located[]): HTMLElement {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return card("bad", "The policy is not usable", `${count}. There is no decision: a service would keep its earlier policy.`, element("ul", "problems", ...problems.map((one) => problem("", one))));
}

function problem(of: string, { place, pointer, message, code }: Located): HTMLElement {
  const where = [of, place && `line ${place.replace(":", ", column ")}`, pointer].filter((text) => text !== "").join(" · ");
  return element("li", "", element("span", "where", where), " ", prose(message), " ", element("code", "code", code));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function card(tone: "good" | "bad" | "unsure" | "calm", title: string, ...children: Child[]): HTMLElement {
  const [first, ...others] = children;
  return element("section", `verdict ${tone}`, element("h2", "", title), element("p", "", first ?? ""), ...others);
}
