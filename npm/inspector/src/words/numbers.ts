// The numbers behind a denial: how long, how old, how many, and what the policy allows.

import { type Decisive, valueAt } from "../decisive.js";
import type { Result } from "../evaluate.js";
import { DEFAULTS } from "../limits.js";
import { absolute, duration, ofClaim, relative } from "../moment.js";

/** A sentence for each number that was exceeded; none for most codes. */
export function numbersOf(result: Result, deciding: Decisive | undefined): string[] {
  const { outcome, inspection } = result;
  if (!outcome || outcome.decision.allow || outcome.decision.code === null) return [];
  const { code, claim } = outcome.decision;
  const claimed = (name: string) => ofClaim(inspection?.claims?.[name]);
  const leeway = () => `The leeway is ${seconds(numberAt(result, "leeway_s", deciding))}.`;
  switch (String(code)) {
    case "token_too_large":
      return tooLarge(result);
    case "token_malformed":
      return result.token.includes(".") ? [] : ["It has no dots: it is an opaque token, not a signed one."];
    case "token_expired":
      return [...moment(result, "exp", claimed("exp")), leeway()];
    case "token_not_yet_valid":
      return [...moment(result, claim ?? "nbf", claimed(claim ?? "nbf")), leeway()];
    case "token_too_old":
      return [...moment(result, "iat", claimed("iat")), ...limits(result, deciding), leeway()];
    case "authentication_insufficient":
      return [...moment(result, "auth_time", claimed("auth_time")), ...limits(result, deciding)];
    default:
      return [];
  }
}

function tooLarge(result: Result): string[] {
  const bytes = (text: string | null | undefined) => new TextEncoder().encode(text ?? "").length;
  const header = result.inspection?.headerText ?? decoded(result.token.split(".", 1)[0] ?? "");
  const sizes = [
    ["the token", bytes(result.token), "token_bytes"],
    ["its header", bytes(header), "header_bytes"],
  ] as const;
  return sizes.flatMap(([what, size, name]) => {
    const limit = numberAt(result, `limits/${name}`);
    return limit !== undefined && size > limit ? [`${capital(what)} has ${count(size)} bytes, and the limit \`${name}\` is ${count(limit)}.`] : [];
  });
}

/** The header of a token that is too large to be inspected; its bytes as characters. */
function decoded(part: string): string | undefined {
  try {
    return atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
}

function moment({ nowMs }: Result, name: string, ms: number | undefined): string[] {
  return ms === undefined ? [`There is no \`${name}\` that is a time.`] : [`\`${name}\` ${ms > nowMs ? "is" : "was"} ${relative(ms, nowMs)}, at ${absolute(ms)}.`];
}

/** What the deciding members say, if it is a number of seconds or a list. */
function limits({ policy }: Result, deciding: Decisive | undefined): string[] {
  return (deciding?.members ?? []).flatMap((pointer) => {
    const value = valueAt(policy, pointer);
    const name = pointer.slice(pointer.lastIndexOf("/") + 1);
    if (name === "leeway_s") return [];
    return typeof value === "number" ? [`\`${name}\` is ${seconds(value)}.`] : Array.isArray(value) ? [`\`${name}\` is \`${value.join("`, `")}\`.`] : [];
  });
}

/** A number of the policy, or its default. The issuer's own comes first. */
function numberAt({ policy }: Result, name: string, deciding?: Decisive): number | undefined {
  const own = deciding?.what === "issuer" ? valueAt(policy, `${deciding.pointer}/${name}`) : undefined;
  const said = own ?? valueAt(policy, `/${name}`);
  return typeof said === "number" ? said : DEFAULTS[name.slice(name.lastIndexOf("/") + 1)];
}

function seconds(value: number | undefined): string {
  if (value === undefined) return "unknown";
  const exact = `${count(value)} second${value === 1 ? "" : "s"}`;
  return value < 120 ? exact : `${exact} (${duration(value * 1000)})`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
