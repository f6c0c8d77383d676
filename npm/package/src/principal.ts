/** A read-only JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** The caller that a verified token identifies, as the policy maps its claims. Frozen: all requests with this token share it. */
export interface Principal {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  /** The token's `iss`. */
  readonly iss: string;
  readonly subject: string | null;
  /** The name of the token type in the policy. */
  readonly tokenType: string | null;
  /** The tenant of the request: the only one of the token, or the one that the rule names. */
  readonly tenant: string | null;
  /** All tenants of the token. */
  readonly tenants: readonly string[];
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** `exp` in milliseconds since the epoch, without leeway. */
  readonly expiresAtMs: number | null;
  /** The claims, parsed at the first access. They are not part of the principal's JSON. */
  readonly claims: { readonly [claim: string]: Json };
  /** The claims as the issuer signed them: a JSON object. */
  readonly claimsText: string;
}
