// `node:crypto`, with OpenSSL (or BoringSSL) behind it.

import type * as NodeCrypto from "node:crypto";
import { COMMON, type Cryptography, TRIED, type Verify } from "./cryptography.js";
import { KNOWN_ANSWERS, MESSAGE } from "./known-answers.js";

/** The versions of the parts of Node.js, Bun or Deno. */
type Versions = { readonly [part: string]: string | undefined };

export function nodeCrypto(crypto: typeof NodeCrypto): Cryptography {
  const fips = isFips();
  const algorithms = [...COMMON, ...TRIED.filter(works)];
  return { by: "native", ...nameOf((globalThis as { process?: { versions?: Versions } }).process?.versions ?? {}), fips, algorithms, prepare };

  function isFips(): boolean {
    return crypto.getFips?.() === 1;
  }

  function prepare(algorithm: string, bytes: Uint8Array): Verify {
    const verify = algorithm.startsWith("HS") ? hmac(algorithm, bytes) : publicKey(algorithm, bytes);
    if (!fips) return verify;
    return (signed, signature) => {
      if (!isFips()) throw new Error("the validated mode was left");
      return verify(signed, signature);
    };
  }

  function hmac(algorithm: string, bytes: Uint8Array): Verify {
    const [hash, key] = [hashOf(algorithm), crypto.createSecretKey(bytes)];
    return (signed, signature) => crypto.timingSafeEqual(crypto.createHmac(hash, key).update(signed).digest(), signature);
  }

  function publicKey(algorithm: string, bytes: Uint8Array): Verify {
    const key = crypto.createPublicKey({ key: bytes, format: "der", type: "spki" });
    if (algorithm === "EdDSA") return (signed, signature) => crypto.verify(null, signed, key, signature);
    const hash = hashOf(algorithm);
    const padding = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(algorithm.slice(2)) / 8 };
    const how = { key, dsaEncoding: "ieee-p1363", ...(algorithm.startsWith("PS") && padding) } as const;
    // Half a microsecond faster than `crypto.verify`.
    return (signed, signature) => crypto.createVerify(hash).update(signed).verify(how, signature);
  }

  /** Whether it accepts a signature that is valid. */
  function works(algorithm: string): boolean {
    const [key = "", signature = ""] = KNOWN_ANSWERS[algorithm] ?? [];
    try {
      return prepare(algorithm, bytesOf(key))(new TextEncoder().encode(MESSAGE), bytesOf(signature)) === true;
    } catch {
      return false;
    }
  }
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function hashOf(algorithm: string): string {
  return `sha${algorithm.slice(2)}`;
}

function nameOf({ deno, boringssl, openssl = "" }: Versions): { name: string; version: string } {
  // Deno has its own cryptography, and says a version of OpenSSL for compatibility only.
  if (deno !== undefined) return { name: "Deno", version: deno };
  return boringssl !== undefined ? { name: "BoringSSL", version: boringssl } : { name: "OpenSSL", version: openssl };
}
