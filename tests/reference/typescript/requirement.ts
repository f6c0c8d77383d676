// What a rule requires (rule.*, order.rule-*).

import { type Spec, type Values, holds } from "./claims.ts";
import { Denied } from "./denied.ts";
import { type Token, checkAge, covers, milliseconds } from "./token.ts";

/** Checks a requirement and returns the tenant that it names (rule.tenant-of-request). */
export function require(token: Token, requirement: Spec, now: number, values: Values): string | undefined {
  const tenant = allButSignIn(token, requirement, now, values);
  signIn(token, requirement, now);
  return tenant;
}

function allButSignIn(token: Token, requirement: Spec, now: number, values: Values): string | undefined {
  const deny = (code: string, passed: number, claim?: string) => {
    throw new Denied(code, { passed, claim });
  };
  const { issuers, audiences, types, subject, tenant } = requirement;
  if (issuers !== undefined && !issuers.includes(token.issuer.name)) deny("issuer_denied", 1);
  if (audiences !== undefined && !audiences.some((one: string) => token.aud.includes(one))) deny("audience_denied", 2, "aud");
  if (types !== undefined && !types.includes(token.type)) deny("type_denied", 3);
  if (subject !== undefined) {
    const isRight = token.subject !== undefined && (subject === "present" || token.subject === named(subject, values));
    if (!isRight) deny("subject_denied", 4);
  }
  let names: string | undefined;
  if (tenant !== undefined) {
    const wanted = tenant === "present" ? undefined : named(tenant, values);
    const isRight = tenant === "present" ? token.tenants.length > 0 : wanted !== undefined && token.tenants.includes(wanted);
    if (!isRight) deny("tenant_denied", 5);
    names = wanted;
  }
  words(token, requirement, "scopes", 6);
  words(token, requirement, "roles", 7);
  for (const [pointer, condition] of Object.entries(requirement.claims ?? {})) {
    if (holds(token.claims, pointer, condition, values) !== true) deny("claim_denied", 8, pointer);
  }
  if (requirement.max_token_age_s !== undefined) checkAge(token, requirement.max_token_age_s, now, 9);
  for (const inner of requirement.all_of ?? []) names = allButSignIn(token, inner, now, values) ?? names;
  return requirement.any_of === undefined ? names : (anyOf(token, requirement.any_of, now, values) ?? names);
}

/** order.rule-any-of, rule.tenant-any-of. */
function anyOf(token: Token, alternatives: Spec[], now: number, values: Values): string | undefined {
  let best: Denied | undefined;
  for (const inner of alternatives) {
    try {
      return require(token, inner, now, values);
    } catch (error) {
      if (!(error instanceof Denied)) throw error;
      if (best === undefined || (error.why.passed ?? 0) > (best.why.passed ?? 0)) best = error;
    }
  }
  throw best;
}

/** rule.auth-age, rule.acr, order.rule-authentication. */
function signIn(token: Token, requirement: Spec, now: number): void {
  for (const inner of requirement.all_of ?? []) signIn(token, inner, now);
  const { max_auth_age_s: most, acr_values: accepted } = requirement;
  const deny = (claim: string) => {
    throw new Denied("authentication_insufficient", { claim, passed: 11, signIn: requirement });
  };
  const { leeway } = token.issuer;
  const at = milliseconds(token.claims.get("auth_time"));
  if (most !== undefined && (at === undefined || at > now + leeway || now - at > most * 1000 + leeway)) deny("auth_time");
  if (accepted !== undefined && !accepted.includes(token.claims.get("acr"))) deny("acr");
}

function named(wanted: string | Spec, values: Values): string | undefined {
  if (typeof wanted === "string") return values({ capture: wanted.slice(1, -1) });
  return wanted.fixed ?? values(wanted);
}

export function allAndAny(spec: string[] | Spec): { all?: string[]; any?: string[] } {
  return Array.isArray(spec) ? { all: spec } : spec;
}

function words(token: Token, requirement: Spec, what: "scopes" | "roles", passed: number): void {
  if (requirement[what] === undefined) return;
  const { all, any } = allAndAny(requirement[what]);
  const isWild = what === "scopes" && token.issuer.spec.scope_wildcards === true;
  const has = (one: string) => token[what].some((granted) => (isWild ? granted === "*" || covers(granted, one) : granted === one));
  const deny = (scopes: string[]) => {
    throw new Denied(what === "scopes" ? "scope_insufficient" : "role_denied", { passed, scopes });
  };
  if (all !== undefined && !all.every(has)) deny(all);
  if (any !== undefined && !any.some(has)) deny(any);
}
