// Passes the caller from the proxy to the page, which may run in another process. It is encrypted, so that only the application can create or read it.

import { CountersignError } from "./error.js";
import type { Grant } from "./decision.js";
import type { Principal } from "./principal.js";

export const HEADER = "x-countersign-caller";

/** The part of a principal that a page gets. */
export type Caller = Pick<Principal, "issuer" | "iss" | "subject" | "tokenType" | "tenant" | "tenants" | "roles" | "scopes" | "expiresAtMs">;

/** The caller, `null` if anonymous, and the principals that the rule asks for beside it, by their names in the policy. */
export interface Callers {
  readonly caller: Caller | null;
  readonly principals: { readonly [name: string]: Caller };
}

/** How long it is valid. A request takes milliseconds from the proxy to the page, but a page may do other work before it calls `caller`. */
const VALID_MS = 10_000;

/** In characters: as many as a random 256-bit key has bytes. */
const SHORTEST_SECRET = 32;

/** @throws CountersignError if it is absent or too short. */
export function assertSecret(secret: string | undefined): asserts secret is string {
  if (secret === undefined) throw CountersignError.of("configuration", "secret_missing", "`COUNTERSIGN_SECRET` is not set");
  if (secret.length < SHORTEST_SECRET) throw CountersignError.of("configuration", "secret_short", `the secret has fewer than ${SHORTEST_SECRET} characters`);
}

/** The request that the caller belongs to, so that it is not accepted for another one. */
export interface About {
  readonly method: string;
  readonly url: string;
}

/** The request in the proxy, which also knows the base path. Pages see their path without it. */
export interface Whole extends About {
  readonly nextUrl: { readonly basePath: string };
}

/** What the code behind the proxy knows of its request: a route handler knows the whole request, a page only the path. */
export interface Known {
  readonly request?: About | undefined;
  readonly path?: string | undefined;
}

/** An anonymous caller is sealed too, so that a page knows that the proxy ran. */
export async function seal({ principal, principals }: Pick<Grant, "principal" | "principals">, { method, url, nextUrl }: Whole, secret: string): Promise<string> {
  const path = pathOf(url);
  const paths = [path, path.slice(nextUrl.basePath.length) || "/"];
  const others = Object.fromEntries(Object.entries(principals).map(([name, other]) => [name, callerOf(other)]));
  const message = { caller: principal && callerOf(principal), principals: others, method, paths, until: Date.now() + VALID_MS };
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(CIPHER, await key(secret, salt), utf8.encode(JSON.stringify(message))));
  return btoa(String.fromCharCode(...salt, ...sealed));
}

/** `undefined` if the text was not sealed with this secret, has expired, or belongs to another request. */
export async function unseal(written: string, { request, path }: Known, secret: string): Promise<Callers | undefined> {
  try {
    const bytes = Uint8Array.from(atob(written), (character) => character.charCodeAt(0));
    const opened = await crypto.subtle.decrypt(CIPHER, await key(secret, bytes.slice(0, SALT)), bytes.slice(SALT));
    const message = JSON.parse(new TextDecoder().decode(opened));
    const leftMs = message.until - Date.now();
    const known = [request?.url, path].filter((address) => address !== undefined);
    const isOwn = (request?.method ?? message.method) === message.method && known.every((address) => message.paths.includes(pathOf(address)));
    return leftMs > 0 && leftMs <= VALID_MS && isOwn ? { caller: message.caller, principals: Object.assign(Object.create(null), message.principals) } : undefined;
  } catch {
    return undefined;
  }
}

function callerOf({ issuer, iss, subject, tokenType, tenant, tenants, roles, scopes, expiresAtMs }: Principal): Caller {
  return { issuer, iss, subject, tokenType, tenant, tenants, roles, scopes, expiresAtMs };
}

/**
 * The decoded path only, without a trailing slash. Next.js removes parts of the query and may change the host, its parameters have more escapes than the
 * URL, and a trailing slash leads to the same page.
 */
function pathOf(url: string): string {
  return decodeURIComponent(new URL(url, "http://localhost").pathname).replace(/(.)\/$/, "$1");
}

const utf8 = new TextEncoder();

/** Bytes of the salt, as many as the key has. Each message has its own random salt and so its own key, so the nonce may be constant. */
const SALT = 32;

const CIPHER = { name: "AES-GCM", iv: new Uint8Array(12) };

/** HKDF (RFC 5869). */
async function key(secret: string, salt: BufferSource): Promise<CryptoKey> {
  const given = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt, info: utf8.encode("countersign handover") };
  return crypto.subtle.deriveKey(derivation, given, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
