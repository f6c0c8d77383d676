// Proofs of possession may be used once (DPoP, RFC 9449 §11.1).

import { monotonicMs } from "./clock.js";

/** A proof that was used, in hashes. */
export interface UsedProof {
  /** Identifies the proof: a SHA-256 in hexadecimal. */
  readonly id: string;
  /** Identifies its key: a SHA-256 in hexadecimal. */
  readonly owner: string;
  /** Until then the proof must not be used again: milliseconds since the epoch. */
  readonly expiresMs: number;
}

/**
 * Enters a proof, and says whether it is its first use. It must do both at once, so that of several processes only one gets `true`, and it must not forget the
 * proof before it expires. If it throws, or gives anything else, the request is denied with `proofs_unavailable`.
 */
export type ProofStore = (proof: UsedProof) => boolean | Promise<boolean>;

/** What one check has found out about its proofs; `undefined` of a proof that it has not entered. */
export interface Proven {
  isFirst(proof: UsedProof): boolean | undefined;
}

/** {@link ProofStore} of this package, which measures the expiry with the gate's own clock, or knows the proofs of the same check. */
export type Proofs = (proof: UsedProof, nowMs: number, proven?: Proven) => boolean | Promise<boolean>;

/** The most proofs, and the most of one key, so that no client can fill the table. */
const MOST = 100_000;
const MOST_OF_OWNER = 1_000;

export class ProofTable {
  readonly #ids = new Set<string>();
  /** The number of proofs of each key. */
  readonly #shares = new Map<string, number>();
  /** The proofs by the second of the monotonic clock after which they can be forgotten. */
  readonly #seconds = new Map<number, UsedProof[]>();
  /** All earlier seconds are swept. */
  #swept = 0;

  /**
   * Whether it is the first use of the proof.
   * @throws Error if there is no place for it: a proof that has not expired is never forgotten.
   */
  enter(proof: UsedProof, nowMs: number): boolean {
    this.#sweep(nowMs);
    if (this.#ids.has(proof.id)) return false;
    const share = this.#shares.get(proof.owner) ?? 0;
    if (this.#ids.size >= MOST || share >= MOST_OF_OWNER) throw new Error("the table of used proofs has no place");
    this.#ids.add(proof.id);
    this.#shares.set(proof.owner, share + 1);
    this.#keep(proof, nowMs);
    return true;
  }

  #keep(proof: UsedProof, nowMs: number): void {
    const last = Math.floor((monotonicMs() + Math.max(proof.expiresMs - nowMs, 0)) / 1_000);
    const others = this.#seconds.get(last);
    if (others) others.push(proof);
    else this.#seconds.set(last, [proof]);
  }

  /** Forgets what has expired by both clocks. */
  #sweep(nowMs: number): void {
    const second = Math.floor(monotonicMs() / 1_000);
    if (this.#seconds.size === 0) this.#swept = second;
    for (; this.#swept < second; this.#swept++) {
      const due = this.#seconds.get(this.#swept) ?? [];
      this.#seconds.delete(this.#swept);
      for (const proof of due) {
        // The wall clock was set back.
        if (nowMs <= proof.expiresMs) this.#keep(proof, nowMs);
        else this.#forget(proof);
      }
    }
  }

  #forget({ id, owner }: UsedProof): void {
    this.#ids.delete(id);
    const share = (this.#shares.get(owner) ?? 0) - 1;
    if (share > 0) this.#shares.set(owner, share);
    else this.#shares.delete(owner);
  }
}

/** Copies of this package in one process, such as those of `import` and `require`, share the table. */
const SHARED = Symbol.for("countersign.proofs@1");

/** The table of all gates of this process. */
export const inProcess: Proofs = (proof, nowMs) => {
  const shared = globalThis as { [SHARED]?: ProofTable };
  return (shared[SHARED] ??= new ProofTable()).enter(proof, nowMs);
};
