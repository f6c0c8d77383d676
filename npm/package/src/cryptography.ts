// The host's own cryptography.

import { PACKAGE_VERSION } from "./wit.js";

/** What verifies the signatures of a gate. */
export interface Verifier {
  readonly by: "module" | "native" | "webcrypto";
  /** `countersign` for the module, `OpenSSL`, … */
  readonly name: string;
  /** Empty if the runtime does not say it. */
  readonly version: string;
  /** Whether it is a validated module in its validated mode (FIPS 140-3). */
  readonly fips: boolean;
}

/** What a gate has that asks no other. */
export const MODULE: Verifier = { by: "module", name: "countersign", version: PACKAGE_VERSION, fips: false };

export interface Cryptography extends Verifier {
  /** The names in JWS (`alg`). */
  readonly algorithms: readonly string[];
  /** Prepares a key, which is kept: a SubjectPublicKeyInfo in DER, or the secret of an HMAC. It throws if it cannot. */
  prepare(algorithm: string, key: Uint8Array): Verify;
}

/** Whether a signature is valid. It throws if that cannot be found out. Both arrays are in the module's memory, and change after the call. */
export type Verify = (signed: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;

/** The algorithms that every runtime has. */
export const COMMON = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"];

/** The algorithms that are tried, because some runtimes and validated modes lack some curves. */
export const TRIED = ["ES256", "ES384", "ES512", "EdDSA"];
