// The runtime's WebCrypto. It is asynchronous and never counts as validated.

import { COMMON, type Cryptography, TRIED } from "./cryptography.js";

const NAMES: { readonly [kind: string]: string } = { RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS", ES: "ECDSA", HS: "HMAC", Ed: "Ed25519" };

/** The parameters of an algorithm (RFC 7518 §3.1). Each kind reads its own. */
function parameters(algorithm: string) {
  const bits = algorithm.slice(2);
  return { name: NAMES[algorithm.slice(0, 2)]!, hash: `SHA-${bits}`, saltLength: Number(bits) / 8, namedCurve: bits === "512" ? "P-521" : `P-${bits}` };
}

function prepare(algorithm: string, bytes: Uint8Array) {
  const how = parameters(algorithm);
  let key: CryptoKey | undefined;
  // No promise of a key is kept: in Workers, no other request may wait for it.
  return async (signed: Uint8Array, signature: Uint8Array) => {
    const [message, given] = [signed.slice(), signature.slice()];
    key ??= await crypto.subtle.importKey(how.name === "HMAC" ? "raw" : "spki", bytes as BufferSource, how, false, ["verify"]);
    return crypto.subtle.verify(how, key, given, message);
  };
}

export async function webCrypto(): Promise<Cryptography> {
  const keys = await Promise.allSettled(TRIED.map((algorithm) => crypto.subtle.generateKey(parameters(algorithm), false, ["verify", "sign"])));
  const algorithms = [...COMMON, ...TRIED.filter((_, index) => keys[index]!.status === "fulfilled")];
  return { by: "webcrypto", name: "WebCrypto", version: "", fips: false, algorithms, prepare };
}
