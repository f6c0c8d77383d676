import type { Code } from "countersign";

/** Who can correct a denial, and how. */
export type Advice = readonly (readonly [who: "the caller" | "the issuer" | "the policy", what: string])[];

/** Possible corrections for each code of a denial. Every code of the package has some; those of newer modules may be here too. */
export const ADVICE: { readonly [code: string]: Advice | undefined } = {
  token_missing: [["the caller", "sends a token where the policy’s `credentials` look for it"]],
  token_multiple: [["the caller", "sends only one token"]],
  request_ambiguous: [["the caller", "sends a target that all parsers read alike, without `..`, `//`, `;`, `%2f`, `%5c`, `#`, spaces and control characters, and a valid method and host"]],
  token_too_large: [["the issuer", "makes the token or its header smaller"]],
  api_key_invalid: [
    ["the caller", "sends the whole key as it was made, or another key: this one is unknown, mistyped or switched off"],
    ["the policy", "names the `prefix` and every version of the `pepper` with which keys were made"],
  ],
  token_inactive: [["the caller", "fetches a new token from the issuer, which says that this one is not active"]],
  token_malformed: [
    ["the caller", "sends the token exactly as it was issued: three base64url parts and two dots, without spaces, line breaks or padding"],
    ["the issuer", "gives a signed token, not an opaque or encrypted one: some do so only if the audience of the service is asked for"],
  ],
  header_invalid: [["the issuer", "writes the header as a JSON object without duplicate members, with `alg` and, if present, `kid` and `typ` as strings"]],
  crit_unsupported: [["the issuer", "omits `crit` and `b64`: extensions are not supported"]],
  algorithm_not_allowed: [
    ["the issuer", "signs with an algorithm that the policy lists for it"],
    ["the policy", "adds this algorithm to the issuer’s `algorithms`, if the issuer should use it (`none` is never allowed)"],
  ],
  issuer_unknown: [
    ["the caller", "sends a token of an issuer in the policy"],
    ["the policy", "has an issuer whose `issuer` is exactly equal to the claim `iss`, including a trailing slash"],
  ],
  key_unknown: [
    ["the issuer", "publishes the key with the header’s `kid`, or signs with a published key"],
    ["the caller", "sends a newer token, if the issuer has removed the key"],
  ],
  key_unsuitable: [["the issuer", "publishes the key for the algorithm of the token, or uses the `kid` of another key"]],
  signature_invalid: [
    ["the caller", "sends the token unchanged"],
    ["the issuer", "signs with the private key that belongs to the published key with this `kid`"],
  ],
  claims_invalid: [["the issuer", "writes the claims as a JSON object without duplicate members, with times as numbers and names as strings"]],
  audience_mismatch: [
    ["the caller", "requests a token for this service from the issuer"],
    ["the policy", "adds the value of `aud` to the issuer’s `audiences`, if such tokens are for this service"],
  ],
  token_expired: [["the caller", "fetches a new token from the issuer"]],
  token_not_yet_valid: [
    ["the caller", "waits until the token is valid"],
    ["the issuer", "corrects its clock, if it is ahead"],
  ],
  token_too_old: [["the caller", "signs in again, for a token that was issued recently"]],
  type_mismatch: [
    ["the caller", "sends a token of another type, for example an access token instead of an ID token"],
    ["the policy", "describes this type in the issuer’s `token_types`, so that the token matches exactly one of them"],
  ],
  claim_missing: [["the issuer", "puts the claim into the token"]],
  claim_mismatch: [
    ["the issuer", "writes a value into the claim that the policy accepts"],
    ["the policy", "accepts this value, if it is correct"],
  ],
  token_revoked: [["the caller", "fetches a new token from the issuer: this one is revoked permanently"]],
  proof_missing: [
    ["the caller", "proves that the token is its own: by its TLS certificate (`x5t#S256`), or by the scheme `DPoP` with a proof of its key in the header `dpop` (`jkt`)"],
    ["the policy", "says `\"sender_constrained\": \"ignore\"`, if whoever holds a token of this issuer may use it"],
  ],
  proof_invalid: [
    ["the caller", "makes a new proof for each request: of its method, its address, this token and now, by the key to which the token is bound"],
    ["the policy", "has as `origin` in `dpop` the scheme and host that clients use, where a proxy changes them"],
  ],
  nonce_required: [["the caller", "makes a proof with the `nonce` of the header `DPoP-Nonce`, and sends the request again"]],
  proof_replayed: [["the caller", "makes a new proof for each request, also when it tries one again"]],
  origin_denied: [["the caller", "sends the cookie from a page of the same origin, or the token in a header"]],
  issuer_denied: [
    ["the caller", "sends a token of an issuer that the rule allows"],
    ["the policy", "adds this issuer to the rule’s `issuers`"],
  ],
  audience_denied: [
    ["the caller", "sends a token for an audience that the rule allows"],
    ["the policy", "adds this audience to the rule’s `audiences`"],
  ],
  type_denied: [
    ["the caller", "sends a token of a type that the rule allows"],
    ["the policy", "adds this type to the rule’s `types`"],
  ],
  subject_denied: [["the caller", "requests a resource of its own subject"]],
  tenant_denied: [["the caller", "requests a resource of its own tenant, or sends a token of the tenant in the request"]],
  scope_insufficient: [["the caller", "requests a token with the scopes in the challenge from the issuer"]],
  role_denied: [["the issuer", "gives the caller a role that the rule requires"]],
  claim_denied: [["the issuer", "writes a value into the claim that the rule accepts"]],
  authentication_insufficient: [["the caller", "signs in again, as the challenge asks (`acr_values`, `max_age`), and sends the new token"]],
  rule_denied: [
    ["the caller", "uses another path, host or method"],
    ["the policy", "has a rule for this request: a request that matches no rule is denied"],
  ],
  keys_unavailable: [["the issuer", "publishes a usable key set"]],
  revocations_unavailable: [["the issuer", "publishes its list of revoked tokens"]],
  api_keys_unavailable: [["the issuer", "publishes its document of API keys"]],
  introspection_unavailable: [
    ["the caller", "tries again later"],
    ["the issuer", "answers at its introspection endpoint, in time and with the members of RFC 7662"],
  ],
  proofs_unavailable: [["the caller", "tries again later: too many proofs are in use, or their store does not answer"]],
  internal_error: [["the caller", "tries again: the gate itself failed"]],
} satisfies { readonly [code in Code]: Advice } & { readonly [code: string]: Advice };
