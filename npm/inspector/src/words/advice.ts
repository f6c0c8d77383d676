import type { Code } from "countersign";

/** Who could change something, and what. */
export type Advice = readonly (readonly [who: "the caller" | "the issuer" | "the policy", what: string])[];

/** What would have to change for a request that was denied with this code. */
export const ADVICE: { readonly [code in Code]: Advice } = {
  token_missing: [["the caller", "sends a token, in a place that the policy names under `credentials`"]],
  token_multiple: [["the caller", "sends one token, once"]],
  request_ambiguous: [["the caller", "sends a target that every parser reads alike: without `..`, `//`, `;`, `%2f`, `%5c`, `#`, spaces and control characters; and a plain method and host"]],
  token_too_large: [["the issuer", "puts less into the token or its header"]],
  token_malformed: [["the caller", "sends the token as it was issued: three base64url parts and two dots, without spaces, line breaks, padding or anything around them"]],
  header_invalid: [["the issuer", "writes a header that is one JSON object, no member twice, with `alg` and, where they are there, `kid` and `typ` as strings"]],
  crit_unsupported: [["the issuer", "leaves out `crit` and `b64`: no extension is supported"]],
  algorithm_not_allowed: [
    ["the issuer", "signs with an algorithm that the policy lists for it"],
    ["the policy", "lists this one under the issuer’s `algorithms`, if the issuer is meant to use it (`none` can never be listed)"],
  ],
  issuer_unknown: [
    ["the caller", "brings a token of an issuer that the policy knows"],
    ["the policy", "has an issuer whose `issuer` equals the claim `iss`, to the last character and slash"],
  ],
  key_unknown: [
    ["the issuer", "publishes the key that the header’s `kid` names, or signs with one that is published"],
    ["the caller", "brings a newer token, if the key was withdrawn"],
  ],
  key_unsuitable: [["the issuer", "publishes the key for the algorithm that it signs with, or names another key in `kid`"]],
  signature_invalid: [
    ["the caller", "sends the token unchanged: not a character more, less or different"],
    ["the issuer", "signs with the private half of the key that it publishes under this `kid`"],
  ],
  claims_invalid: [["the issuer", "writes claims that are one JSON object, no member twice, with times as numbers and names as strings"]],
  audience_mismatch: [
    ["the caller", "asks the issuer for a token that is for this service"],
    ["the policy", "lists what `aud` says under the issuer’s `audiences`, if such tokens are meant for it"],
  ],
  token_expired: [["the caller", "fetches a new token from the issuer"]],
  token_not_yet_valid: [
    ["the caller", "waits until the token’s time has come"],
    ["the issuer", "sets its clock, if that is ahead"],
  ],
  token_too_old: [["the caller", "signs in again, for a token that was issued recently"]],
  type_mismatch: [
    ["the caller", "brings a token of another kind: an access token and not an ID token, perhaps"],
    ["the policy", "describes this kind under the issuer’s `token_types`, so that it is exactly one of them"],
  ],
  claim_missing: [["the issuer", "puts the claim into the token"]],
  claim_mismatch: [
    ["the issuer", "writes a value into the claim that the policy accepts"],
    ["the policy", "accepts this value, if it is meant"],
  ],
  token_revoked: [["the caller", "fetches a new token from the issuer: this one was revoked and stays so"]],
  origin_denied: [["the caller", "sends the cookie from a page of the same origin, or the token in a header"]],
  issuer_denied: [
    ["the caller", "brings a token of an issuer that the rule admits"],
    ["the policy", "names this issuer under the rule’s `issuers`"],
  ],
  audience_denied: [
    ["the caller", "brings a token for an audience that the rule admits"],
    ["the policy", "names this audience under the rule’s `audiences`"],
  ],
  type_denied: [
    ["the caller", "brings a token of a type that the rule admits"],
    ["the policy", "names this type under the rule’s `types`"],
  ],
  tenant_denied: [["the caller", "asks for what belongs to its own tenant, or brings a token of the tenant that it asks for"]],
  scope_insufficient: [["the caller", "asks the issuer for a token with the scopes that the challenge names"]],
  role_denied: [["the issuer", "gives the caller a role that the rule asks for"]],
  claim_denied: [["the issuer", "writes a value into the claim that the rule asks for"]],
  rule_denied: [
    ["the caller", "asks for another path, host or method"],
    ["the policy", "has a rule for this one: what none matches is denied"],
  ],
  keys_unavailable: [["the issuer", "publishes a key set that can be used"]],
  revocations_unavailable: [["the issuer", "publishes its list of revoked tokens"]],
  internal_error: [["the caller", "tries again: the gate itself failed"]],
};
