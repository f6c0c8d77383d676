// The codes, and a check that fails.

export const CODES: Record<string, [number, string]> = {
  token_missing: [401, "a token is required"],
  token_multiple: [400, "the request carries more than one token"],
  request_ambiguous: [400, "the request target can be read in more than one way"],
  token_too_large: [401, "the token is too large"],
  token_malformed: [401, "the token is not a compact JWS"],
  header_invalid: [401, "the token header is invalid"],
  crit_unsupported: [401, "the token requires an unsupported extension"],
  algorithm_not_allowed: [401, "the token algorithm is not allowed"],
  issuer_unknown: [401, "the token issuer is unknown"],
  key_unknown: [401, "the token key is unknown"],
  key_unsuitable: [401, "the token key does not fit its algorithm"],
  signature_invalid: [401, "the token signature is invalid"],
  claims_invalid: [401, "the token claims are invalid"],
  audience_mismatch: [401, "the token is for another audience"],
  token_expired: [401, "the token has expired"],
  token_not_yet_valid: [401, "the token is not valid yet"],
  token_too_old: [401, "the token was issued too long ago"],
  type_mismatch: [401, "the token is of another type"],
  claim_missing: [401, "the token lacks a required claim"],
  claim_mismatch: [401, "a token claim has a value that is not accepted"],
  origin_denied: [403, "the request comes from another origin"],
  issuer_denied: [403, "the token issuer is not admitted here"],
  audience_denied: [403, "the token audience is not admitted here"],
  type_denied: [403, "the token type is not admitted here"],
  subject_denied: [403, "the token subject is not admitted here"],
  tenant_denied: [403, "the token tenant is not admitted here"],
  scope_insufficient: [403, "the token scopes do not suffice"],
  role_denied: [403, "the token roles do not suffice"],
  claim_denied: [403, "a token claim is not admitted here"],
  authentication_insufficient: [401, "a recent or stronger sign-in is required"],
  rule_denied: [403, "no rule admits the request"],
};

interface Why {
  claim?: string | undefined;
  /** How many checks of a requirement came before it. */
  passed?: number;
  /** The scopes that are wanted. */
  scopes?: string[];
  /** The requirement that asks for a sign-in. */
  signIn?: Record<string, any>;
}

/** A check fails. */
export class Denied extends Error {
  readonly code: string;
  readonly why: Why;
  /** The name of the principal beside the user. */
  principal: string | undefined;
  constructor(code: string, why: Why = {}) {
    super(code);
    this.code = code;
    this.why = why;
  }
  get status(): number {
    return (CODES[this.code] as [number, string])[0];
  }
}
