import type { Inspection } from "countersign";
import { absolute, ofClaim, relative } from "../moment.js";
import { ALGORITHMS, CLAIMS, MEMBERS, MOMENTS } from "../words/members.js";
import { copyButton, element, headed, spoken } from "./dom.js";

type Members = { readonly [name: string]: unknown };

/** The claims with their meaning. */
export function showClaims({ claims, claimsText }: Inspection, signed: boolean, nowMs: number): HTMLElement {
  return showMembers("Claims", "of-claims", signed, claims, claimsText, (name, value) => meaningOfTime(name, value, nowMs) ?? CLAIMS.get(name));
}

/** The members of the header with their meaning. */
export function showHeader({ header, headerText }: Inspection, signed: boolean): HTMLElement {
  return showMembers("Header", "of-header", signed, header, headerText, (name, value) => (name === "alg" && typeof value === "string" ? ALGORITHMS.get(value) : undefined) ?? MEMBERS.get(name));
}

function showMembers(title: string, colour: string, signed: boolean, members: Members | null, text: string | null, meaning: (name: string, value: unknown) => string | undefined): HTMLElement {
  const swatch = element("span", `swatch ${colour}`);
  const seal = element("span", signed ? "seal good" : "seal unsure", signed ? "signed by the issuer" : "UNVERIFIED");
  if (members === null || text === null) return headed(title, [swatch, seal], element("p", "note", "It cannot be decoded."));
  const exact = JSON.parse(text, keepDigits) as Members;
  const rows = Object.entries(members).map(([name, value]) => {
    const means = meaning(name, value);
    return element("div", "", element("dt", "", name), element("dd", "", ...shorten(write(exact[name])), means !== undefined && element("span", "means", means)));
  });
  const list = rows.length > 0 ? element("dl", "members", ...rows) : element("p", "note", "It is empty.");
  const raw = element("details", "raw", element("summary", "", "Raw JSON", spoken(` of the ${title.toLowerCase()}`)), element("pre", "", text));
  return headed(title, [swatch, seal, copyButton(`the ${title.toLowerCase()} as JSON`, text)], list, raw);
}

/** The meaning of a claim that is a time, such as `expires in 4 minutes`. */
function meaningOfTime(name: string, value: unknown, nowMs: number): string | undefined {
  const verbs = MOMENTS.get(name);
  const ms = ofClaim(value);
  if (!verbs || ms === undefined) return undefined;
  return `${verbs[ms > nowMs ? 1 : 0]} ${relative(ms, nowMs)}, ${absolute(ms)}`;
}

/** The value; of a long list the first lines, and the others on demand. */
function shorten(text: string): HTMLElement[] {
  const lines = text.split("\n");
  if (lines.length <= LINES) return [element("span", "value", text)];
  const others = element("details", "more", element("summary", "", `${lines.length - SHOWN} more lines`), element("span", "value", lines.slice(SHOWN).join("\n")));
  return [element("span", "value", lines.slice(0, SHOWN).join("\n")), others];
}

const LINES = 12;
const SHOWN = 8;

function write(value: unknown): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value) ?? "";
  return line.length <= LINE ? line : (JSON.stringify(value, undefined, 2) ?? "");
}

/** The number of characters that fit on a line. */
const LINE = 60;

/** Keeps numbers as they were written, if the browser supports it: `12345678901234567890` has more digits than a JavaScript number. */
function keepDigits(this: unknown, _: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
  return typeof value === "number" && rawJSON && context?.source !== undefined ? rawJSON(context.source) : value;
}
