/** Where checks wait for documents: a room for each issuer, so that one that hangs takes no place from another's. */
export class Rooms {
  readonly #most: number;
  readonly #waiting = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a place with each of these issuers, or none where one has no more. */
  enter(issuers: Iterable<string>): (() => void) | undefined {
    const entered = new Set(issuers);
    for (const issuer of entered) if ((this.#waiting.get(issuer) ?? 0) >= this.#most) return undefined;
    for (const issuer of entered) this.#waiting.set(issuer, (this.#waiting.get(issuer) ?? 0) + 1);
    return () => {
      for (const issuer of entered) {
        const left = (this.#waiting.get(issuer) ?? 0) - 1;
        if (left > 0) this.#waiting.set(issuer, left);
        else this.#waiting.delete(issuer);
      }
    };
  }
}
