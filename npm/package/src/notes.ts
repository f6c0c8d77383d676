// What is noted on the way of one check: for its event, and for the candidate that is asked after it.

import { monotonicMs } from "./clock.js";
import type { Answer, Outgoing } from "./documents.js";
import type { Generation } from "./generation.js";
import type { Proven, UsedProof } from "./proofs.js";
import { NO_FACTS } from "./written.js";

export class Notes implements Proven {
  facts = NO_FACTS;
  policyDigest = "";
  /** Whether the decision is not enforced: then the check must have no effect. */
  readonly isObserved: boolean;
  readonly #effects: boolean;
  #startedMs: number | undefined;
  readonly #answers = new Map<string, Answer>();
  readonly #proofs = new Map<string, boolean>();

  /** `effects`: whether the facts are for a comparison. */
  constructor(effects: boolean, isObserved = false) {
    this.#effects = effects;
    this.isObserved = isObserved;
  }

  /** Takes the facts of the generation's last check. */
  take(generation: Generation): void {
    this.facts = generation.facts(this.#effects);
    this.policyDigest = generation.digest;
  }

  /** From now on the check waits. */
  wait(): void {
    this.#startedMs ??= monotonicMs();
  }

  get waitedMs(): number {
    return this.#startedMs === undefined ? 0 : Math.round((monotonicMs() - this.#startedMs) * 1_000) / 1_000;
  }

  /** Keeps the response to a request of this check. */
  answered(request: Outgoing, answer: Answer): void {
    this.#answers.set(keyOf(request), answer);
  }

  /** The response to the same request; `undefined` if this check has none. */
  answerTo(request: Outgoing): Answer | undefined {
    return this.#answers.get(keyOf(request));
  }

  /** Keeps whether this check has used a proof for the first time. */
  proven({ id }: UsedProof, isFirst: boolean): void {
    this.#proofs.set(id, isFirst);
  }

  isFirst({ id }: UsedProof): boolean | undefined {
    return this.#proofs.get(id);
  }
}

const keyOf = ({ method, uri, body }: Outgoing) => `${method} ${uri}\n${body}`;
