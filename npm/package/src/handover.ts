// A principal from the proxy to the page, which may be another process: signed, so that nobody else can hand one over.

import { CountersignError } from "./error.js";
import type { Principal } from "./principal.js";

export const HEADER = "x-countersign-caller";

/** What a page hears of a principal. */
export type Caller = Pick<Principal, "issuer" | "iss" | "subject" | "tokenType" | "tenant" | "roles" | "scopes" | "expiresAtMs">;

/** From the proxy to the page it is milliseconds; a page may do other things before it asks. */
const GOOD_FOR_MS = 10_000;

/** As many as a random key of HMAC-SHA-256 has bytes. */
const SHORTEST_SECRET = 32;

/** @throws CountersignError where it is absent or too short. */
export function assertSecret(secret: string | undefined): asserts secret is string {
  if (secret === undefined) throw CountersignError.of("configuration", "secret_missing", "`COUNTERSIGN_SECRET` is not set");
  if (secret.length < SHORTEST_SECRET) throw CountersignError.of("configuration", "secret_short", `the secret has less than ${SHORTEST_SECRET} characters`);
}

/** Of which request it was said: nobody can take it to another. */
export interface About {
  readonly method: string;
  readonly url: string;
}

/** Also that nobody is calling is said, so that a page knows that the proxy ran. */
export async function sign(principal: Principal | null, about: About, secret: string): Promise<string> {
  const text = encodeURIComponent(JSON.stringify({ caller: principal && callerOf(principal), about: place(about), until: Date.now() + GOOD_FOR_MS }));
  const mac = await crypto.subtle.sign("HMAC", await key(secret), utf8.encode(text));
  return `${text}.${btoa(String.fromCharCode(...new Uint8Array(mac)))}`;
}

/** Who is calling, `null` for nobody; `undefined` for what nobody signed with this secret, too long ago, or about another request. */
export async function unsign(written: string, about: About | undefined, secret: string): Promise<Caller | null | undefined> {
  try {
    const dot = written.lastIndexOf(".");
    const text = written.slice(0, dot);
    const mac = Uint8Array.from(atob(written.slice(dot + 1)), (character) => character.charCodeAt(0));
    if (!(await crypto.subtle.verify("HMAC", await key(secret), mac, utf8.encode(text)))) return undefined;
    const { caller, about: said, until } = JSON.parse(decodeURIComponent(text));
    const leftMs = until - Date.now();
    if (!(leftMs > 0 && leftMs <= GOOD_FOR_MS) || (about && place(about) !== said)) return undefined;
    return caller;
  } catch {
    return undefined;
  }
}

function callerOf({ issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs }: Principal): Caller {
  return { issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs };
}

/** Method and path: of the query Next.js takes parts away, and the host is not always the one that was asked. */
function place({ method, url }: About): string {
  return `${method} ${new URL(url).pathname}`;
}

const utf8 = new TextEncoder();

function key(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", utf8.encode(`countersign handover ${secret}`), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
