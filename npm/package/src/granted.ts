// What a grant and its principal are made of. Printed, they tell nothing that a log must not hold.

import type { Grant } from "./decision.js";
import type { Json, Principal } from "./principal.js";

/** Under this name Node.js, Deno and Bun look for what `console.log` shall print. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

const NONE: Grant["changes"] = Object.freeze([]);

export class Granted implements Grant {
  readonly allow = true;
  readonly principal: Principal | null;
  readonly removeHeaders: readonly string[];
  readonly setHeaders: Grant["setHeaders"];
  readonly changes: Grant["changes"];

  constructor(principal: Principal | null, removeHeaders: readonly string[], setHeaders: Grant["setHeaders"], changes: Grant["changes"] = NONE) {
    this.principal = principal;
    this.removeHeaders = removeHeaders;
    this.setHeaders = setHeaders;
    this.changes = changes;
    Object.freeze(this);
  }

  toJSON(): object {
    return { allow: true, principal: this.principal && about(this.principal) };
  }

  [INSPECT](): object {
    return this.toJSON();
  }
}

export class Verified implements Principal {
  readonly issuer: string;
  readonly iss: string;
  readonly subject: string | null;
  readonly tokenType: string | null;
  readonly tenant: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | null;
  readonly #claimsText: string;
  #claims: Principal["claims"] | undefined;

  constructor(said: Omit<Principal, "claims">) {
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

  get claims(): { readonly [claim: string]: Json } {
    return (this.#claims ??= JSON.parse(this.#claimsText, (_, value) => Object.freeze(value)));
  }

  get claimsText(): string {
    return this.#claimsText;
  }

  /** Asked for by name, a principal is its fields. */
  toJSON(): object {
    return { ...this };
  }

  [INSPECT](): object {
    return about(this);
  }
}

/** For logs. */
function about({ issuer, tokenType }: Principal): object {
  return { issuer, tokenType };
}
