/** Counts the checks that wait for documents. Each issuer has its own limit, so that one that does not answer blocks only its own checks. */
export class WaitLimits {
  readonly #most: number;
  readonly #waiting = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a check for each of these issuers and returns the function that ends it; `undefined` if one of them is at its limit. */
  acquire(issuers: Iterable<string>): (() => void) | undefined {
    const counted = new Set(issuers);
    for (const issuer of counted) if ((this.#waiting.get(issuer) ?? 0) >= this.#most) return undefined;
    for (const issuer of counted) this.#waiting.set(issuer, (this.#waiting.get(issuer) ?? 0) + 1);
    return () => {
      for (const issuer of counted) {
        const left = (this.#waiting.get(issuer) ?? 0) - 1;
        if (left > 0) this.#waiting.set(issuer, left);
        else this.#waiting.delete(issuer);
      }
    };
  }
}
