// The form part in which a token is made and signed.

import { decode } from "../evaluate.js";
import { type Entries, field } from "../fields.js";
import { type Algorithm, algorithms, kidOf, make } from "./make.js";
import { parse } from "../moment.js";
import { element, prose } from "../show/dom.js";
import { readToken } from "../paste/token-text.js";

const LIFE_S = 3600;

/** Fills the part when it is first opened. `change` puts values into the form. */
export function openMaker(form: HTMLFormElement, change: (entries: Entries) => void): void {
  const part = form.querySelector<HTMLDetailsElement>("#make")!;
  const [algorithm, header, claims] = ["#make-algorithm", "#make-header", "#make-claims"].map((id) => part.querySelector<HTMLSelectElement | HTMLTextAreaElement>(id)!);
  if (!algorithm || !header || !claims) return;
  const hint = part.querySelector("#make-hint")!;
  const chosen = () => algorithm.value as Algorithm;

  // Its fields are no input of the evaluation.
  part.addEventListener("input", (event) => event.stopPropagation());
  algorithm.addEventListener("change", () => {
    header.value = write({ ...object(header.value), alg: chosen(), kid: kidOf(chosen()) });
  });
  part.addEventListener("toggle", () => void prepare(), { once: true });
  part.querySelector("#make-copy")!.addEventListener("click", () => void take());
  part.querySelector("#make-sign")!.addEventListener("click", () => void sign());

  async function prepare(): Promise<void> {
    const found = await algorithms();
    algorithm!.replaceChildren(...found.map((name) => element("option", "", name)));
    if (found.length === 0) hint.textContent = "This browser makes no keys here: the page needs HTTPS, or this machine.";
    else await take();
  }

  /** Takes the claims of the token in the form, or else an example. */
  async function take(): Promise<void> {
    const inspection = await decode(readToken(field(form, "token").value).token);
    header!.value = write({ alg: chosen(), kid: kidOf(chosen()), typ: inspection?.header?.["typ"] ?? "JWT" });
    claims!.value = inspection?.claims ? pretty(inspection.claimsText ?? "") : write(example());
  }

  function example(): object {
    const nowS = Math.floor((parse(field(form, "time").value.trim()) ?? Date.now()) / 1000);
    return { iss: "https://issuer.example", sub: "alice", aud: "my-api", iat: nowS, exp: nowS + LIFE_S, scope: "read" };
  }

  async function sign(): Promise<void> {
    try {
      const { token, jwk } = await make(chosen(), compact(header!.value), compact(claims!.value));
      const policy = field(form, "policy").value;
      const starter = policy.trim() === "" ? starterPolicy(object(claims!.value), chosen()) : undefined;
      change({ token, keys: withKey(field(form, "keys").value, jwk), policy: starter ?? policy });
      hint.replaceChildren(prose(`Signed. The token is in its field, and the public key \`${kidOf(chosen())}\` in the key set.${starter === undefined ? "" : " There was no policy: the new one accepts it."}`));
    } catch {
      hint.textContent = "This browser could not sign it.";
    }
  }
}

/** A policy for the issuer and the audience of the claims. */
function starterPolicy({ iss, aud }: Members, algorithm: Algorithm): string {
  const audiences = [aud].flat().filter((one) => typeof one === "string" && one !== "");
  const text = (value: unknown) => JSON.stringify(typeof value === "string" && value !== "" ? value : "https://issuer.example");
  return `contract: "1"
issuers:
  - name: made-here
    issuer: ${text(iss)}
    audiences: ${audiences.length > 0 ? JSON.stringify(audiences) : "any"}
    algorithms: [${algorithm}]
    keys: { jwks_uri: "https://issuer.example/jwks.json" }
rules:
  - { path: "/**", require: {} }
`;
}

/** The key set with this key, in place of an earlier one with the same `kid`. */
function withKey(text: string, jwk: object): string {
  const keys = object(text)["keys"];
  const others = Array.isArray(keys) ? keys.filter((key) => object(JSON.stringify(key) ?? "")["kid"] !== (jwk as Members)["kid"]) : [];
  return write({ keys: [...others, jwk] });
}

type Members = { readonly [name: string]: unknown };

function object(text: string): Members {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Members) : {};
  } catch {
    return {};
  }
}

function write(value: object): string {
  return JSON.stringify(value, undefined, 2);
}

/** JSON on several lines; a text as it is if that would change it, for example the digits of a number. */
function pretty(text: string): string {
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === text ? JSON.stringify(value, undefined, 2) : text;
}

/** JSON on one line; a text as it is if that would change it, or if it is not JSON. */
function compact(text: string): string {
  try {
    const line = JSON.stringify(JSON.parse(text));
    const squeezed = (json: string) => json.replace(/\s/g, "");
    return squeezed(line) === squeezed(text) ? line : text;
  } catch {
    return text;
  }
}
