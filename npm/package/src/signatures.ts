// Signatures that the host's own cryptography verifies. npm/src/signatures.rs describes the format of the questions.

import type { Cryptography, Verifier, Verify } from "./cryptography.js";
import { CountersignError } from "./error.js";
import type { Gate } from "./glue/countersign.js";
import type { Instance } from "./instance.js";
import { webCrypto } from "./webcrypto.js";

/** The cryptography of the option `signatures`; `undefined` for the module. */
export async function cryptographyOf(signatures: Verifier["by"] = "module", native?: () => Cryptography | Promise<Cryptography>): Promise<Cryptography | undefined> {
  if (signatures === "module") return undefined;
  if (signatures === "webcrypto") return webCrypto();
  if (signatures === "native" && native) return native();
  throw CountersignError.of("configuration", "signatures_unavailable", `in this runtime, \`signatures\` cannot be \`${signatures}\`: say \`module\`, or \`webcrypto\` for its WebCrypto`);
}

/** The fixed part of a question ends with the algorithm. */
const HEAD_BYTES = 25;
const ALGORITHM_BYTES = 5;

/** The number of prepared keys. If there are more, all are prepared again. */
const KEYS = 1_024;

/** The prepared keys of a gate, by their numbers. */
export class Keys {
  readonly #instance: Instance;
  readonly #cryptography: Cryptography;
  readonly #keys = new Map<number, Verify>();

  constructor(cryptography: Cryptography, instance: Instance) {
    this.#instance = instance;
    this.#cryptography = cryptography;
  }

  /**
   * Verifies the signatures that the gate's last check asks for, and reports each: whether it is valid, `undefined` if that cannot be found out. Returns a
   * promise if the cryptography is asynchronous.
   */
  answer(gate: Gate, report: (ticket: number, valid?: boolean) => void): Promise<unknown> | undefined {
    const pending: Promise<void>[] = [];
    let at = gate.signatures();
    const count = this.#instance.viewMemory().getUint32(at, true);
    at += 4;
    for (let index = 0; index < count; index++) {
      const view = this.#instance.viewMemory();
      const ticket = view.getFloat64(at, true);
      const number = view.getUint32(at + 8, true);
      const signed = at + HEAD_BYTES;
      const signature = signed + view.getUint32(at + 12, true);
      at = signature + view.getUint32(at + 16, true);
      const key = this.#keys.get(number) ?? gate.key(number);
      // The memory may have grown.
      this.#instance.viewMemory();
      try {
        const verify = typeof key === "function" ? key : this.#prepare(number, this.#instance.readText(signed - ALGORITHM_BYTES, ALGORITHM_BYTES), key);
        const valid = verify(this.#instance.viewBytes(signed, signature), this.#instance.viewBytes(signature, at));
        if (typeof valid === "boolean") report(ticket, valid);
        else pending.push(valid.then((valid) => report(ticket, valid), () => report(ticket)));
      } catch {
        report(ticket);
      }
    }
    return pending.length > 0 ? Promise.all(pending) : undefined;
  }

  #prepare(number: number, algorithm: string, key: Uint8Array | undefined): Verify {
    if (!key) throw new Error("the module has no key of this number");
    const verify = this.#cryptography.prepare(algorithm, key);
    if (this.#keys.size >= KEYS) this.#keys.clear();
    this.#keys.set(number, verify);
    return verify;
  }
}
