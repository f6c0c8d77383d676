import type { Grant } from "./decision.js";

/** Grants by their number, as many as tokens are remembered, and so many characters of claims and headers. */
export class Kept {
  readonly #most: number;
  readonly #mostCharacters: number;
  #slots: ({ number: number; grant: Grant } | undefined)[] = [];
  #characters = 0;

  constructor(most: number, mostCharacters: number) {
    this.#most = most;
    this.#mostCharacters = mostCharacters;
  }

  get(number: number): Grant | undefined {
    const slot = this.#slots[number % this.#most];
    return slot?.number === number ? slot.grant : undefined;
  }

  /** Where there are too many characters, all others go: those in use are back at once. */
  set(number: number, grant: Grant, characters: number): void {
    this.#characters += characters;
    if (this.#characters > this.#mostCharacters || this.#slots.length === 0) {
      this.#slots = new Array(this.#most);
      this.#characters = characters;
    }
    if (characters <= this.#mostCharacters) this.#slots[number % this.#most] = { number, grant };
  }
}
