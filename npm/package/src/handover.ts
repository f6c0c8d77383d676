// A principal from the proxy to the page, which may be another process: sealed, so that nobody else can hand one over, or read one.

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

/** The proxy knows its base path too, without which pages see their addresses. */
export interface Whole extends About {
  readonly nextUrl: { readonly basePath: string };
}

/** What a page knows of its own request: a route handler all of it, others the path of their address. */
export interface Known {
  readonly request?: About | undefined;
  readonly path?: string | undefined;
}

/** Also that nobody is calling is said, so that a page knows that the proxy ran. */
export async function seal(principal: Principal | null, { method, url, nextUrl }: Whole, secret: string): Promise<string> {
  const path = pathOf(url);
  const paths = [path, path.slice(nextUrl.basePath.length) || "/"];
  const said = { caller: principal && callerOf(principal), method, paths, until: Date.now() + GOOD_FOR_MS };
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(CIPHER, await key(secret, salt), utf8.encode(JSON.stringify(said))));
  return btoa(String.fromCharCode(...salt, ...sealed));
}

/** Who is calling, `null` for nobody; `undefined` for what nobody sealed with this secret, too long ago, or about another request. */
export async function unseal(written: string, { request, path }: Known, secret: string): Promise<Caller | null | undefined> {
  try {
    const bytes = Uint8Array.from(atob(written), (character) => character.charCodeAt(0));
    const opened = await crypto.subtle.decrypt(CIPHER, await key(secret, bytes.slice(0, SALT)), bytes.slice(SALT));
    const said = JSON.parse(new TextDecoder().decode(opened));
    const leftMs = said.until - Date.now();
    const known = [request?.url, path].filter((address) => address !== undefined);
    const isOwn = (request?.method ?? said.method) === said.method && known.every((address) => said.paths.includes(pathOf(address)));
    return leftMs > 0 && leftMs <= GOOD_FOR_MS && isOwn ? said.caller : undefined;
  } catch {
    return undefined;
  }
}

function callerOf({ issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs }: Principal): Caller {
  return { issuer, iss, subject, tokenType, tenant, roles, scopes, expiresAtMs };
}

/**
 * Of the query Next.js takes parts away, the host is not always the one that was asked, parameters come with more escapes than an address, and a last slash leads
 * to the same page.
 */
function pathOf(url: string): string {
  return decodeURIComponent(new URL(url, "http://localhost").pathname).replace(/(.)\/$/, "$1");
}

const utf8 = new TextEncoder();

/** Bytes, as many as the key has: no two messages have the same key, so that a nonce would add nothing. */
const SALT = 32;

const CIPHER = { name: "AES-GCM", iv: new Uint8Array(12) };

/** HKDF (RFC 5869). */
async function key(secret: string, salt: BufferSource): Promise<CryptoKey> {
  const given = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt, info: utf8.encode("countersign handover") };
  return crypto.subtle.deriveKey(derivation, given, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
