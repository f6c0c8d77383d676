// What a gate in the module and its host are for each other.

import type { Cryptography } from "./cryptography.js";
import type { Denial } from "./decision.js";
import type { Need } from "./documents.js";
import type { Instance } from "./instance.js";
import type { Proofs } from "./proofs.js";

/** What a decision waits for: documents and responses, or this process. Then check again. */
export type Waiting = Need[] | Pending;

/** Asynchronous cryptography, or a store of used proofs. */
export class Pending {
  constructor(
    readonly work: Promise<unknown>,
    /** The denial if it does not end in time. */
    readonly denial: Denial,
  ) {}
}

/** What a host brings to a gate that it opens. */
export interface Host {
  /** The instance of the module; `undefined` for the one of all gates in force. */
  readonly instance?: Instance | undefined;
  /** What verifies signatures; `undefined` for the module. */
  readonly cryptography?: Cryptography | undefined;
  /** From {@link frameOf}. */
  readonly secrets: Uint8Array;
  readonly proofs: Proofs;
}
