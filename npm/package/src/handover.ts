// A principal from the proxy to the page, which may be another process: signed, so that nobody else can hand one over.

import { CountersignError } from "./error.js";
import type { Principal } from "./principal.js";

export const HEADER = "x-countersign-caller";

/** What a page hears of a principal. */
export type Caller = Pick<Principal, "issuer" | "iss" | "subject" | "tokenType" | "tenant" | "roles" | "scopes" | "expiresAtMs">;

/** From the proxy to the page it is milliseconds. */
const GOOD_FOR_MS = 60_000;

/** As many as a random key of HMAC-SHA-256 has bytes. */
const SHORTEST_SECRET = 32;

/** @throws CountersignError where it is absent or too short. */
export function assertSecret(secret: string | undefined): asserts secret is string {
  if (secret === undefined) throw CountersignError.of("configuration", "secret_missing", "`COUNTERSIGN_SECRET` is not set");
  if (secret.length < SHORTEST_SECRET) throw CountersignError.of("configuration", "secret_short", `the secret has less than ${SHORTEST_SECRET} characters`);
}

export async function sign(principal: Principal, secret: string): Promise<string> {
  const { issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs } = principal;
  const caller: Caller = { issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs };
  const text = encodeURIComponent(JSON.stringify({ caller, until: Date.now() + GOOD_FOR_MS }));
  const mac = await crypto.subtle.sign("HMAC", await key(secret), utf8.encode(text));
  return `${text}.${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
}

/** `null` for what nobody signed with this secret, or too long ago. */
export async function unsign(written: string, secret: string): Promise<Caller | null> {
  try {
    const dot = written.lastIndexOf(".");
    const text = written.slice(0, dot);
    const mac = Uint8Array.from(atob(written.slice(dot + 1)), (character) => character.charCodeAt(0));
    if (!(await crypto.subtle.verify("HMAC", await key(secret), mac, utf8.encode(text)))) return null;
    const { caller, until } = JSON.parse(decodeURIComponent(text));
    return Date.now() < until ? caller : null;
  } catch {
    return null;
  }
}

const utf8 = new TextEncoder();

function key(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", utf8.encode(`countersign handover ${secret}`), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
