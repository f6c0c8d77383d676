/** The members of an issuer in the policy by which each check decides. */
export const OF_ISSUER: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  algorithm: ["algorithms"],
  key: ["keys"],
  signature: ["keys"],
  claims: ["claims", "numbers_as_text"],
  audience: ["audiences"],
  expiry: ["exp", "leeway_s"],
  not_before: ["leeway_s"],
  issued_at: ["max_token_age_s", "max_age_s", "leeway_s"],
  type: ["token_types"],
  required_claims: ["require", "token_types"],
  api_keys: ["api_keys"],
  api_key: ["api_keys"],
  introspection: ["introspection"],
  sender: ["dpop", "sender_constrained"],
  revocation: ["revocations"],
}));

/** The members of a requirement by which each check decides. */
export const OF_RULE: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  "rule.issuer": ["issuers"],
  "rule.audience": ["audiences"],
  "rule.type": ["types"],
  "rule.subject": ["subject"],
  "rule.tenant": ["tenant"],
  "rule.scopes": ["scopes"],
  "rule.roles": ["roles"],
  "rule.claims": ["claims"],
  "rule.age": ["max_token_age_s", "max_age_s"],
  "rule.all_of": ["all_of"],
  "rule.any_of": ["any_of"],
  "rule.proof": ["proof"],
  "rule.authentication": ["max_auth_age_s", "acr_values"],
}));
