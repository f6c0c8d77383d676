// The classes of a grant and its principal. Printed, they show nothing that must not be logged.

import type { Grant } from "./decision.js";
import type { Json, Principal } from "./principal.js";

/** Node.js, Deno and Bun call the method of this name to print a value with `console.log`. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

const NO_PRINCIPALS: Grant["principals"] = Object.freeze(Object.create(null));
const NO_CHANGES: Grant["changes"] = Object.freeze([]);

export class FrozenGrant implements Grant {
  readonly allow = true;
  readonly principal: Principal | null;
  readonly principals: Grant["principals"];
  readonly removeHeaders: readonly string[];
  readonly setHeaders: Grant["setHeaders"];
  readonly changes: Grant["changes"];

  constructor(principal: Principal | null, removeHeaders: readonly string[], setHeaders: Grant["setHeaders"], principals = NO_PRINCIPALS, changes = NO_CHANGES) {
    this.principal = principal;
    this.principals = principals;
    this.removeHeaders = removeHeaders;
    this.setHeaders = setHeaders;
    this.changes = changes;
    Object.freeze(this);
  }

  toJSON(): object {
    const others = Object.entries(this.principals).map(([name, other]) => [name, loggable(other)] as const);
    return { allow: true, principal: this.principal && loggable(this.principal), ...(others.length > 0 && { principals: Object.fromEntries(others) }) };
  }

  [INSPECT](): object {
    return this.toJSON();
  }
}

export class FrozenPrincipal implements Principal {
  readonly issuer: string;
  readonly iss: string;
  readonly subject: string | null;
  readonly tokenType: string | null;
  readonly tenant: string | null;
  readonly tenants: readonly string[];
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | null;
  readonly #claimsText: string;
  #claims: Principal["claims"] | undefined;

  constructor(fields: Omit<Principal, "claims">) {
    this.issuer = fields.issuer;
    this.iss = fields.iss;
    this.subject = fields.subject;
    this.tokenType = fields.tokenType;
    this.tenant = fields.tenant;
    this.tenants = fields.tenants;
    this.roles = fields.roles;
    this.scopes = fields.scopes;
    this.expiresAtMs = fields.expiresAtMs;
    this.#claimsText = fields.claimsText;
    Object.freeze(this);
  }

  get claims(): { readonly [claim: string]: Json } {
    return (this.#claims ??= JSON.parse(this.#claimsText, (_, value) => Object.freeze(value)));
  }

  get claimsText(): string {
    return this.#claimsText;
  }

  /** A principal itself, as JSON, has its fields; inside a grant it has only what {@link loggable} returns. */
  toJSON(): object {
    return { ...this };
  }

  [INSPECT](): object {
    return loggable(this);
  }
}

/** The part that may be logged. */
function loggable({ issuer, tokenType }: Principal): object {
  return { issuer, tokenType };
}
