import type { Grant } from "./decision.js";
import type { Gate } from "./glue/countersign.js";
import { readGrant } from "./grant.js";
import type { Instance } from "./instance.js";

/** A cache of grants by their number, bounded in entries and in characters of claims and headers. */
export class GrantCache {
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

  /** If there are too many characters, it removes all other grants. Those in use are soon read again. */
  set(number: number, grant: Grant, characters: number): void {
    this.#characters += characters;
    if (this.#characters > this.#mostCharacters || this.#slots.length === 0) {
      this.#slots = new Array(this.#most);
      this.#characters = characters;
    }
    if (characters <= this.#mostCharacters) this.#slots[number % this.#most] = { number, grant };
  }
}

/** A grant of the last check, from the cache or from the module. */
export function readThrough(instance: Instance, cache: GrantCache, gate: Gate, number: number): Grant {
  const known = number === 0 ? undefined : cache.get(number);
  if (known) return known;
  const at = gate.grant(number);
  if (at === 0) throw new Error("the module has no grant of this number");
  const { grant, characters } = readGrant(instance, at);
  if (number !== 0) cache.set(number, grant, characters);
  return grant;
}
