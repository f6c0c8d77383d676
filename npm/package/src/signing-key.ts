// The private key of a client, and what it signs with it (RFC 7515).

import { CountersignError } from "./error.js";

/** PKCS #8 in PEM, a JWK, or a key of WebCrypto. Of P-256 it signs with ES256, of RSA with RS256. */
export type PrivateKey = string | (JsonWebKey & { readonly kid?: string | undefined }) | CryptoKey;

type Algorithm = "ES256" | "RS256";

/** WebCrypto's words for them: for `importKey` and for `sign`. */
const WORDS = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
} as const;

const PEM = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/;

interface Imported {
  readonly alg: Algorithm;
  readonly key: CryptoKey;
}

/** A key that never leaves the object, and is not printed with it. */
export class SigningKey {
  readonly #import: () => Promise<Imported>;
  readonly #kid: string | undefined;
  #imported: Promise<Imported> | undefined;

  /** @throws CountersignError if it is no such key, as far as that is known without WebCrypto. */
  constructor(key: PrivateKey, kid: string | undefined) {
    if (typeof key === "string") this.#import = ofPem(key);
    else if (key instanceof CryptoKey) this.#import = ofCryptoKey(key);
    else this.#import = ofJwk(key);
    this.#kid = kid ?? (typeof key === "object" && "kid" in key ? key.kid : undefined);
  }

  /**
   * A JWT with these claims.
   * @throws CountersignError if WebCrypto does not take the key.
   */
  async sign(typ: string, claims: object): Promise<string> {
    const { alg, key } = await (this.#imported ??= this.#import());
    const header = { alg, typ, ...(this.#kid !== undefined && { kid: this.#kid }) };
    const signed = `${base64url(utf8(header))}.${base64url(utf8(claims))}`;
    const signature = await crypto.subtle.sign(WORDS[alg], key, new TextEncoder().encode(signed));
    return `${signed}.${base64url(new Uint8Array(signature))}`;
  }
}

/** The PEM does not say in words which kind of key it is: WebCrypto takes it only as what it is. */
function ofPem(pem: string): () => Promise<Imported> {
  const [, base64] = PEM.exec(pem) ?? [];
  if (base64 === undefined) throw unusable("expected PKCS #8, `-----BEGIN PRIVATE KEY-----`; `openssl pkcs8 -topk8 -nocrypt` makes it of other forms");
  return async () => {
    const der = bytesOf(base64);
    const importAs = async (alg: Algorithm): Promise<Imported> => ({ alg, key: await crypto.subtle.importKey("pkcs8", der, WORDS[alg], false, ["sign"]) });
    return importAs("ES256").catch(() => importAs("RS256")).catch(refuse);
  };
}

function ofJwk(jwk: JsonWebKey): () => Promise<Imported> {
  const alg = jwk.kty === "EC" && jwk.crv === "P-256" ? "ES256" : jwk.kty === "RSA" ? "RS256" : undefined;
  if (alg === undefined || (jwk.alg ?? alg) !== alg) throw unusable(EXPECTED);
  if (typeof jwk.d !== "string") throw unusable("it is a public key");
  return async () => ({ alg, key: await crypto.subtle.importKey("jwk", jwk, WORDS[alg], false, ["sign"]).catch(refuse) });
}

function ofCryptoKey(key: CryptoKey): () => Promise<Imported> {
  const { name, namedCurve, hash } = key.algorithm as { name: string; namedCurve?: string; hash?: { name: string } };
  const alg = name === "ECDSA" && namedCurve === "P-256" ? "ES256" : name === "RSASSA-PKCS1-v1_5" && hash?.name === "SHA-256" ? "RS256" : undefined;
  if (alg === undefined) throw unusable(EXPECTED);
  if (key.type !== "private" || !key.usages.includes("sign")) throw unusable("it is not a private key that may sign");
  return async () => ({ alg, key });
}

const EXPECTED = "expected a key of P-256 for ES256, or of RSA for RS256";

function refuse(): never {
  throw unusable(EXPECTED);
}

/** The message says nothing of the key. */
function unusable(message: string): CountersignError {
  return CountersignError.of("private key", "key_unusable", message);
}

function utf8(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return refuse();
  }
}

/** RFC 7515 §2. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
