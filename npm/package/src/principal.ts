/** A JSON value that nobody can change. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** What a verified token says, in the policy's terms. Frozen: one object for all requests with this token. */
export interface Principal {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  /** The token's `iss`. */
  readonly iss: string;
  readonly subject: string | null;
  /** The name of the token type in the policy. */
  readonly tokenType: string | null;
  readonly tenant: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** `exp` in milliseconds since the epoch, without leeway. */
  readonly expiresAtMs: number | null;
  /** The claims, parsed when they are first asked for. Not in its JSON. */
  readonly claims: { readonly [claim: string]: Json };
  /** The claims as the issuer signed them: a JSON object. */
  readonly claimsText: string;
}
