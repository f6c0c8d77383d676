import type { Denial } from "countersign";
import type { Finding, Judgement } from "../judge.js";
import type { Located } from "../policy.js";
import { ADVICE } from "../words/advice.js";
import { type Child, element, prose } from "./dom.js";

/** The answer in a word, a sentence, and what would change it. */
export function showVerdict(finding: Finding): HTMLElement {
  const { inspection, problems, policy, judgement } = finding;
  if (problems.length > 0) return refused(problems);
  if (judgement?.missing) return undecided(judgement.missing);
  if (judgement) return decided(judgement);
  if (!inspection && policy) return card("calm", "The policy opens", "Paste a token, or say a request, to have it decided.");
  if (!inspection) return card("calm", "Nothing to look at yet", "Paste a token, or take one of the examples.");
  const fault = inspection.fault === null ? "Without a policy nothing is decided." : `Every gate denies it: \`${inspection.fault}\`.`;
  return card("unsure", "UNVERIFIED", "Anybody can write this.", prose(fault));
}

function decided({ alone, decision, troubles }: Judgement): HTMLElement {
  const unused = troubles.length > 0 && element("ul", "problems", ...troubles.map((trouble) => problem(NAMES[trouble.kind], { ...trouble, place: "" })));
  const only = alone && element("p", "note", "The token alone: no request was decided about.");
  if (decision.allow) {
    const who = decision.principal === null ? "Without identity: the rule asks for none." : `As ${decision.principal.subject ?? "somebody without a name"}, of the issuer ${decision.principal.issuer}.`;
    return card("good", "Allowed", who, only, unused);
  }
  return card("bad", "Denied", sentence(decision.message), facts(decision), only, unused, changes(decision));
}

const NAMES = { jwks: "key set", discovery: "metadata", revocations: "revocations" };

function facts({ code, status, claim }: Denial): HTMLElement {
  return element("p", "facts", element("code", "code", code), element("span", "", `status ${status}`), claim !== null && element("span", "", "claim ", element("code", "", claim)));
}

function changes({ code }: Denial): HTMLElement {
  const advice = ADVICE[code].map(([who, what]) => element("li", "", element("strong", "", who), " ", prose(what)));
  return element("div", "changes", element("h3", "", advice.length === 1 ? "What would have to change" : "What would have to change, one of these"), element("ul", "", ...advice));
}

function undecided({ what, uris }: NonNullable<Judgement["missing"]>): HTMLElement {
  const fetched = uris.map((uri) => element("code", "uri", uri));
  const [title, field] = what === "keys" ? ["No keys, no decision", "Key set"] : ["No revocations, no decision", "Revocations"];
  return card("unsure", title, `A gate would fetch them; this page fetches nothing. Paste what is published there under “${field}”:`, ...fetched);
}

function refused(problems: readonly Located[]): HTMLElement {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return card("bad", "The policy is not usable", `${count}, and nothing is decided. A service would keep the policy that it had.`, element("ul", "problems", ...problems.map((one) => problem("", one))));
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
