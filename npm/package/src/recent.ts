/** What was used last, by its text: so many entries and so many characters at most. What was not used for longest is forgotten first. */
export class Recent<Value> {
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
    // To the end of the order in which a map is walked.
    this.#entries.delete(text);
    this.#entries.set(text, value);
    return value;
  }

  /** Sets what was not there. */
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
