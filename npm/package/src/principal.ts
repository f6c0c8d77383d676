/** A JSON value that nobody can change. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** What a verified token says, in the policy's terms. Frozen: one object for all requests with this token. */
export class Principal {
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
  readonly #claimsText: string;
  #claims: { readonly [claim: string]: Json } | undefined;

  /** @internal */
  constructor(said: Omit<Principal, "claims" | "toJSON">) {
    this.issuer = said.issuer;
    this.iss = said.iss;
    this.subject = said.subject;
    this.tokenType = said.tokenType;
    this.tenant = said.tenant;
    this.roles = said.roles;
    this.scopes = said.scopes;
    this.expiresAtMs = said.expiresAtMs;
    this.#claimsText = said.claimsText;
    Object.freeze(this);
  }

  /** The claims, parsed when they are first asked for. */
  get claims(): { readonly [claim: string]: Json } {
    return (this.#claims ??= JSON.parse(this.#claimsText, (_, value) => Object.freeze(value)));
  }

  /** The claims as the issuer signed them: a JSON object. */
  get claimsText(): string {
    return this.#claimsText;
  }

  toJSON(): object {
    return { ...this, claims: this.claims };
  }
}
