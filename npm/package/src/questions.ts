import { internalError, proofsUnavailable } from "./decision.js";
import type { Gate } from "./glue/countersign.js";
import { type Host, Pending } from "./host.js";
import type { Instance } from "./instance.js";
import type { Notes } from "./notes.js";
import { Keys } from "./signatures.js";
import type { AskedProof } from "./written.js";

/** Reports the answer to a question, which has a ticket; without `valid`, that it is not known. */
export type Report = (ticket: number, valid?: boolean) => void;

/** Answers what the checks of a gate in one instance of the module ask this process: whether signatures are valid, and whether proofs are used for the first time. */
export class Questions {
  readonly #proofs: Host["proofs"];
  readonly #keys: Keys | undefined;
  readonly #report: Report;

  constructor({ cryptography, proofs }: Host, instance: Instance, report: Report) {
    this.#proofs = proofs;
    this.#keys = cryptography && new Keys(cryptography, instance);
    this.#report = report;
  }

  /** Verifies the signatures that the last check asks for. */
  verify(gate: Gate): Pending | undefined {
    const work = this.#keys?.answer(gate, this.#report);
    return work && new Pending(work, internalError);
  }

  /** Enters the proofs that the last check asks about, each once. */
  enter(asked: readonly AskedProof[], nowMs: number, notes?: Notes): Pending | undefined {
    const entering: Promise<void>[] = [];
    for (const { ticket, ...proof } of asked) {
      const end = (isFirst?: unknown) => {
        if (typeof isFirst !== "boolean") return this.#report(ticket);
        notes?.proven(proof, isFirst);
        this.#report(ticket, isFirst);
      };
      try {
        // An observed check has no effect: the request may pass another gate of this process.
        const entered = notes?.isObserved ? true : this.#proofs(proof, nowMs, notes);
        if (typeof entered === "boolean") end(entered);
        else entering.push(Promise.resolve(entered).then(end, () => end()));
      } catch {
        end();
      }
    }
    return entering.length > 0 ? new Pending(Promise.all(entering), proofsUnavailable) : undefined;
  }
}
