import { CountersignError } from "./error.js";
import { Generation } from "./generation.js";
import type { AnyPolicy } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";
import type { Settings } from "./settings.js";

/** The policy in force, and what replaces it. */
export class InForce {
  readonly #settings: Settings;
  #generation: Generation;
  /** New policies whose documents are being fetched. */
  readonly #opening = new Set<Generation>();
  /** The number of calls of `replace`, and the number of the call whose policy is in force. */
  #calls = 0;
  #last = 0;
  /** The last queued call. They run one after the other, in their order. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(generation: Generation, settings: Settings) {
    this.#generation = generation;
    this.#settings = settings;
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** @throws CountersignError if the gate is closed. */
  assertOpen(): void {
    if (this.#closed) throw CountersignError.of("policy", "gate_closed", "the gate was closed");
  }

  /** Puts a new policy in force. `before` runs when nothing else of it can fail. Resolves to whether it is in force, and no later one. */
  replace(policy: AnyPolicy, before?: () => void): Promise<boolean> {
    const number = ++this.#calls;
    // Where a request must not wait for another request's work, they run at the same time, and only the number decides.
    const turn = this.#settings.shared ? this.#queue.then(() => this.#replace(policy, number, before)) : this.#replace(policy, number, before);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #replace(policy: AnyPolicy, number: number, before?: () => void): Promise<boolean> {
    const bytes = await bytesOf(policy, this.#settings);
    this.assertOpen();
    const next = new Generation(bytes, this.#settings);
    this.#opening.add(next);
    await next.preload(this.#generation.documents());
    this.#opening.delete(next);
    this.assertOpen();
    const overtaken = number < this.#last;
    try {
      if (!overtaken) before?.();
    } catch (fault) {
      next.close();
      throw fault;
    }
    (overtaken ? next : this.#generation).close();
    if (overtaken) return false;
    this.#generation = next;
    this.#last = number;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#generation.close();
    for (const next of this.#opening) next.close();
  }
}
