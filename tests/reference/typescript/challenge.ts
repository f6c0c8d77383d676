// Denials with their challenges, and metadata documents (challenge.*, metadata.*).

import type { Spec } from "./claims.ts";
import { BEARER } from "./credentials.ts";
import { CODES, type Denied } from "./denied.ts";
import { type Request, decoded, hostOf } from "./request.ts";
import { allAndAny } from "./requirement.ts";

export function denial(policy: Spec, denied: Denied, rule: Spec | undefined) {
  const [status, message] = CODES[denied.code] as [number, string];
  return {
    code: denied.code,
    status,
    message,
    challenge: challenge(policy, denied, rule ?? {}, status, message) ?? null,
    claim: denied.why.claim ?? null,
    principal: denied.principal ?? null,
    retry_after_s: null,
  };
}

const ERRORS: Record<string, string> = {
  scope_insufficient: "insufficient_scope",
  authentication_insufficient: "insufficient_user_authentication",
};

function challenge(policy: Spec, { code, why }: Denied, rule: Spec, status: number, sentence: string): string | undefined {
  if (status !== 400 && status !== 401 && code !== "scope_insufficient") return undefined;
  const realm = policy.realm ?? "countersign";
  const parts = [`realm="${realm}"`];
  if (code !== "token_missing") {
    const error = ERRORS[code] ?? (status === 400 ? "invalid_request" : "invalid_token");
    parts.push(`error="${error}"`, `error_description="${sentence}"`);
  }
  const { scope, resource_metadata: metadata } = rule.challenge ?? policy.challenge ?? {};
  let scopes = code === "scope_insufficient" ? (why.scopes ?? []) : [];
  if (scope === true) scopes = [...new Set([...scopesOf(rule.require ?? {}), ...scopes])];
  if (status !== 400 && scopes.length > 0) parts.push(`scope="${scopes.join(" ")}"`);
  const { acr_values: acr, max_auth_age_s: age } = why.signIn ?? {};
  if (acr !== undefined) parts.push(`acr_values="${acr.join(" ")}"`);
  if (age !== undefined) parts.push(`max_age="${age}"`);
  const address = typeof metadata === "object" ? addressOf(metadata) : metadata;
  if (status !== 400 && address !== undefined) parts.push(`resource_metadata="${address}"`);
  const places: Spec[] = rule.credentials ?? policy.credentials ?? BEARER;
  const hasBasic = status === 401 && places.some((place) => place.scheme === "Basic");
  return `Bearer ${parts.join(", ")}${hasBasic ? `, Basic realm="${realm}", charset="UTF-8"` : ""}`;
}

/** challenge.scope: the scopes of a requirement and of its all_of. */
function scopesOf(requirement: Spec): string[] {
  const { all = [], any = [] } = allAndAny(requirement.scopes ?? []);
  return [...all, ...any, ...(requirement.all_of ?? []).flatMap(scopesOf)];
}

/** metadata.address. */
function addressOf(document: Spec): string {
  const [, origin, path = ""] = /^(https:\/\/[^/]*)(\/.*)?$/.exec(document.resource) as RegExpExecArray;
  return `${origin}/.well-known/oauth-protected-resource${path === "/" ? "" : path}`;
}

/** metadata.answer, metadata.host. */
export function metadataAnswer(policy: Spec, request: Request, raw: string[]) {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const bare = (segments: string[]) => (segments.at(-1) === "" ? segments.slice(0, -1) : segments).map((one) => decoded(one)).join("\n");
  const challenges = [policy.challenge, ...(policy.rules ?? []).map((rule: Spec) => rule.challenge)];
  for (const document of challenges.map((one) => one?.resource_metadata)) {
    if (typeof document !== "object") continue;
    const [, host, path] = /^https:\/\/([^/]*)\/(.*)$/.exec(addressOf(document)) as unknown as [string, string, string];
    if (hostOf(host) !== request.host || bare(path.split("/")) !== bare(raw)) continue;
    const headers = [["content-type", "application/json"], ["access-control-allow-origin", "*"]];
    return { answer: { status: 200, headers, body: JSON.stringify(document) } };
  }
  return undefined;
}
