// Makes keys and signs tokens with them, to play. A key exists only in this page, and its private part cannot be read out of the browser.

export type Algorithm = keyof typeof ALGORITHMS;

export interface Made {
  readonly token: string;
  /** The public key, with `kid` and `alg`. */
  readonly jwk: object;
}

const ALGORITHMS = {
  ES256: { generate: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } },
  RS256: { generate: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, sign: { name: "RSASSA-PKCS1-v1_5" } },
  EdDSA: { generate: { name: "Ed25519" }, sign: { name: "Ed25519" } },
} as const;

const keys = new Map<Algorithm, Promise<CryptoKeyPair>>();

/** The algorithms of this browser. */
export async function algorithms(): Promise<Algorithm[]> {
  // Pages of other hosts have it only over HTTPS.
  if (!globalThis.crypto?.subtle) return [];
  const ed25519 = crypto.subtle.generateKey(ALGORITHMS.EdDSA.generate, false, ["sign"]).then(() => true, () => false);
  return (await ed25519) ? ["ES256", "RS256", "EdDSA"] : ["ES256", "RS256"];
}

/** The `kid` of the page's key. */
export function kidOf(algorithm: Algorithm): string {
  return `made-here-${algorithm.toLowerCase()}`;
}

/** Signs the texts of header and claims as they are, also if they are not JSON: so a faulty token can be made too. */
export async function make(algorithm: Algorithm, header: string, claims: string): Promise<Made> {
  const { generate, sign } = ALGORITHMS[algorithm];
  const made = keys.get(algorithm) ?? (crypto.subtle.generateKey(generate, false, ["sign", "verify"]) as Promise<CryptoKeyPair>);
  keys.set(algorithm, made);
  const { privateKey, publicKey } = await made;
  const bytes = (text: string) => new TextEncoder().encode(text);
  const input = `${base64url(bytes(header))}.${base64url(bytes(claims))}`;
  const signature = await crypto.subtle.sign(sign, privateKey, bytes(input));
  const { kty, n, e, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return { token: `${input}.${base64url(new Uint8Array(signature))}`, jwk: { kty, kid: kidOf(algorithm), use: "sig", alg: algorithm, n, e, crv, x, y } };
}

function base64url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
