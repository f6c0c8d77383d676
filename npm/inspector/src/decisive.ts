// Finds the part of the policy that decided, by the last check of the explanation.

import { ruleOf } from "./carry.js";
import type { Outcome, Result } from "./evaluate.js";
import { OF_ISSUER, OF_RULE } from "./words/deciding.js";

export interface Decisive {
  readonly what: "rule" | "issuer" | "rules" | "issuers";
  /** The JSON Pointer of the rule or issuer, or of the list in which none was found. */
  readonly pointer: string;
  /** The JSON Pointers of the members in it that decided. */
  readonly members: readonly string[];
}

/** The rule, or the issuer, that decided; `undefined` if none did, for example without a request. */
export function decisive({ outcome, policy }: Result): Decisive | undefined {
  if (!outcome || !policy || outcome.missing) return undefined;
  const last = outcome.steps.at(-1);
  const rule = outcome.tokenOnly ? undefined : ruleOf(outcome.steps);
  const ofRule = (members: readonly string[]): Decisive | undefined => (rule === undefined ? undefined : { what: "rule", pointer: rule, members });
  const isThere = (pointer: string) => valueAt(policy, pointer) !== undefined;
  if (last?.verdict !== "fail") return ofRule([]);
  if (last.check.startsWith("rule.")) {
    // The details of a second principal begin with its name.
    const principal = `${rule}/principals/${/^([^:` ]+): /.exec(last.detail)?.[1] ?? ""}`;
    const requirement = isThere(principal) ? principal : `${rule}/require`;
    return ofRule((OF_RULE.get(last.check) ?? []).map((member) => `${requirement}/${member}`).filter(isThere));
  }
  if (last.check === "rule" && policy.rules && policy.rules.length > 0) return { what: "rules", pointer: "/rules", members: [] };
  if (last.check === "issuer") return { what: "issuers", pointer: "/issuers", members: policy.issuers.map((_, index) => `/issuers/${index}/issuer`) };
  const issuer = issuerOf(outcome, policy);
  const members = (OF_ISSUER.get(last.check) ?? []).map((member) => `${issuer}/${member}`).filter(isThere);
  return issuer !== undefined && members.length > 0 ? { what: "issuer", pointer: issuer, members } : undefined;
}

/** The JSON Pointer of the last token's issuer. */
function issuerOf({ steps }: Outcome, { issuers }: NonNullable<Result["policy"]>): string | undefined {
  const detail = steps.filter(({ check }) => check === "algorithm").at(-1)?.detail ?? "";
  const name = /issuer `([^`]+)`/.exec(detail)?.[1];
  const index = issuers.findIndex((issuer) => issuer.name === name);
  return index < 0 ? undefined : `/issuers/${index}`;
}

/** The value of a JSON Pointer. */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return value;
}
