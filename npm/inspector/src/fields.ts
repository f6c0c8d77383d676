// Reads and fills the form.

import type { Head } from "countersign";
import type { Input } from "./evaluate.js";
import type { KeyText } from "./paste/key-text.js";
import { absolute, EXPECTED, parse, relative } from "./moment.js";
import { prose } from "./show/dom.js";
import { type TokenText, readToken } from "./paste/token-text.js";

/** The values of an example, by the names of the form's fields. */
export type Entries = { readonly [name in (typeof NAMES)[number]]?: string };

const NAMES = ["token", "policy", "keys", "revocations", "method", "target", "headers", "time"] as const;

/** Calls `changed` a short time after an input. */
export function listen(form: HTMLFormElement, changed: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(changed, 150);
  });
}

export function fill(form: HTMLFormElement, entries: Entries): void {
  for (const name of NAMES) field(form, name).value = entries[name] ?? "";
}

/** Reads the form, and shows errors next to the fields. */
export function readForm(form: HTMLFormElement): Input & { readonly read: TokenText } {
  const text = (name: (typeof NAMES)[number]) => field(form, name).value.trim();
  const clockMs = Date.now();
  const timeMs = text("time") === "" ? clockMs : parse(text("time"));
  note(form, "time", timeMs === undefined ? EXPECTED : text("time") === "" ? "the time of this computer" : `${absolute(timeMs)}, ${relative(timeMs, clockMs)}`, timeMs === undefined);
  const { headers, wrong } = readHeaders(field(form, "headers").value);
  note(form, "headers", wrong === undefined ? "one per line; the token is added where the policy looks for it" : `expected \`NAME: VALUE\` in line ${wrong}`, wrong !== undefined);
  const read = readToken(text("token"));
  return {
    read,
    token: read.token,
    policy: field(form, "policy").value,
    keys: text("keys"),
    revocations: text("revocations"),
    request: readRequest(text("method"), text("target"), headers),
    nowMs: timeMs ?? clockMs,
  };
}

/** Says how the keys were read. */
export function noteKeys(form: HTMLFormElement, { how, isWrong }: KeyText): void {
  note(form, "keys", how || "the JWK Set that the token’s issuer publishes, one JWK, or PEM; not needed if the policy contains the keys", isWrong);
}

/** Reads a path, or a URL with the host: `https://api.example.com/assets/1`. */
function readRequest(method: string, target: string, headers: Head["headers"]): Head | undefined {
  if (target === "") return undefined;
  const [, authority, rest] = /^https?:\/\/([^/?]*)(.*)$/s.exec(target) ?? [undefined, "", target];
  return { method: method || "GET", authority: authority ?? "", target: rest?.startsWith("/") || authority === "" ? (rest ?? "") : `/${rest}`, headers };
}

function readHeaders(text: string): { headers: [string, string][]; wrong: number | undefined } {
  const headers: [string, string][] = [];
  let wrong: number | undefined;
  text.split("\n").forEach((line, index) => {
    const colon = line.indexOf(":");
    if (colon > 0) headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
    else if (line.trim() !== "") wrong ??= index + 1;
  });
  return { headers, wrong };
}

export function field(form: HTMLFormElement, name: string): HTMLInputElement | HTMLTextAreaElement {
  return form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement;
}

function note(form: HTMLFormElement, name: string, words: string, isWrong: boolean): void {
  const hint = form.querySelector(`#${name}-hint`);
  hint?.replaceChildren(prose(words));
  hint?.classList.toggle("wrong", isWrong);
  field(form, name).ariaInvalid = isWrong ? "true" : null;
}
