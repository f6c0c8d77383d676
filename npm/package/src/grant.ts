// Reads a grant from the module's memory. npm/src/grant.rs describes the format.

import type { Change, Grant } from "./decision.js";
import { FrozenGrant, FrozenPrincipal } from "./frozen-grant.js";
import type { Instance } from "./instance.js";

/** The length of an absent string. */
const ABSENT = 0xffff_ffff;

/** The number of single strings of a principal. */
const SINGLE = 6;

/** The grant at this address of the memory, and the number of its characters. */
export function readGrant(instance: Instance, at: number): { grant: Grant; characters: number } {
  const view = instance.viewMemory();
  const number = (place: number) => view.getUint32(at + 8 + 4 * place, true);
  const [tenants, roles, scopes, removeHeaders, setHeaders] = [number(1), number(2), number(3), number(4), number(5)];
  const count = SINGLE + tenants + roles + scopes + removeHeaders + 2 * setHeaders;
  let next = 6;
  const text = instance.readText(at + 8 + 4 * (next + count), number(0));
  let place = 0;
  const optional = (): string | null => {
    const length = number(next++);
    return length === ABSENT ? null : text.slice(place, (place += length));
  };
  const string = () => optional() ?? "";
  const list = <T>(length: number, item: () => T): readonly T[] => {
    const items: T[] = [];
    for (let index = 0; index < length; index++) items.push(item());
    return Object.freeze(items);
  };
  const expiresAtMs = view.getFloat64(at, true);

  const issuer = optional();
  // In the order of the format.
  const fields = {
    issuer: issuer ?? "",
    iss: string(),
    subject: optional(),
    tokenType: optional(),
    tenant: optional(),
    claimsText: string(),
    tenants: list(tenants, string),
    roles: list(roles, string),
    scopes: list(scopes, string),
    expiresAtMs: Number.isNaN(expiresAtMs) ? null : expiresAtMs,
  };
  // Also in the order of the format.
  const grant = new FrozenGrant(
    issuer === null ? null : new FrozenPrincipal(fields),
    list(removeHeaders, string),
    list(setHeaders, () => Object.freeze([string(), string()] as const)),
  );
  return { grant, characters: text.length };
}

/** The same grant with what belongs to one request only. */
export function ofRequest(grant: Grant, principals: Grant["principals"] | undefined, changes: readonly Change[] | undefined): Grant {
  return new FrozenGrant(grant.principal, grant.removeHeaders, grant.setHeaders, principals, changes);
}
