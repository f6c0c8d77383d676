/** A cache by text, bounded in entries and in characters. It removes the least recently used entry first. */
export class LruCache<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #most: number;
  readonly #mostCharacters: number;
  #characters = 0;

  constructor(most: number, mostCharacters: number) {
    this.#most = most;
    this.#mostCharacters = mostCharacters;
  }

  get(text: string): Value | undefined {
    const value = this.#entries.get(text);
    if (value === undefined) return undefined;
    // Move it to the end of the map's order.
    this.#entries.delete(text);
    this.#entries.set(text, value);
    return value;
  }

  /** Adds a text that is not in the cache. */
  set(text: string, value: Value): void {
    this.#entries.set(text, value);
    this.#characters += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most && this.#characters <= this.#mostCharacters) break;
      this.#entries.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
