// A log of decisions: JSON lines, through a ring of fixed size that no decision waits for.

import { nextTurn } from "./clock.js";
import type { DecisionEvent } from "./events.js";
import type { Head } from "./request.js";

export interface DecisionLogOptions {
  /**
   * Writes lines, each with its line feed: to a file, to standard output, to a service. If it returns a promise, the next lines are written when that has ended;
   * lines that it fails to write are counted as dropped.
   */
  readonly write: (lines: string) => unknown;
  /** How many events wait for the writer. If there are more, new ones are dropped and counted. Default: 1,024. */
  readonly places?: number;
  /**
   * Of requests that are not denied, the first of so many is logged, by a counter; 0: none. Comparisons that agree have a counter of their own. Denials, and
   * comparisons that do not agree, are all logged. Default: 100.
   */
  readonly oneAllowOf?: number;
  /** What the caller adds to a line: a request id, a trace. It can replace no member of the event. */
  readonly add?: (event: DecisionEvent, request: Request | Head | undefined) => object | undefined;
}

/** The part of a stream of Node.js that lines are written to. */
export interface LineStream {
  write(text: string): boolean;
  once(event: "drain", listener: () => void): unknown;
}

/** A `write` for a stream of Node.js, which waits while the stream is full. */
export function toStream(stream: LineStream): DecisionLogOptions["write"] {
  return (lines) => (stream.write(lines) ? undefined : new Promise<void>((resolve) => stream.once("drain", resolve)));
}

export class DecisionLog {
  /** How many events were not written: the ring was full, or the writer failed. */
  dropped = 0;
  readonly #options: DecisionLogOptions;
  readonly #ring: (string | undefined)[];
  /** The place of the oldest line, and the number of lines. */
  #first = 0;
  #count = 0;
  readonly #sampled = { decisions: 0, comparisons: 0 };
  #writing: Promise<void> | undefined;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
    this.#ring = new Array(Math.max(options.places ?? 1_024, 1));
  }

  /** The hook: `onDecision: log.record`. It never throws, and waits for nothing. */
  readonly record = (event: DecisionEvent, request: Request | Head | undefined): void => {
    if (!this.#isChosen(event)) return;
    if (this.#count === this.#ring.length) return void this.dropped++;
    let line: string;
    try {
      line = JSON.stringify({ ...this.#options.add?.(event, request), time: new Date().toISOString(), ...jsonOf(event) });
    } catch {
      return void this.dropped++;
    }
    this.#ring[(this.#first + this.#count++) % this.#ring.length] = line;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  };

  /** Resolves when everything that was recorded before has been written, or dropped. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #isChosen({ decision, comparison }: DecisionEvent): boolean {
    if (comparison === undefined ? decision === "deny" : comparison !== "agree") return true;
    const { oneAllowOf = 100 } = this.#options;
    // With one counter for both, every second event would be a comparison, and an even number would choose none of them.
    const before = this.#sampled[comparison === undefined ? "decisions" : "comparisons"]++;
    return oneAllowOf > 0 && before % oneAllowOf === 0;
  }

  async #write(): Promise<void> {
    // Not while a decision is made: the caller gets it first.
    await nextTurn();
    while (this.#count > 0) {
      const lines = this.#take();
      try {
        await this.#options.write(`${lines.join("\n")}\n`);
      } catch {
        this.dropped += lines.length;
      }
    }
  }

  /** Everything in the ring, from the oldest. */
  #take(): string[] {
    const lines: string[] = [];
    for (; this.#count > 0; this.#count--) {
      lines.push(this.#ring[this.#first]!);
      this.#ring[this.#first] = undefined;
      this.#first = (this.#first + 1) % this.#ring.length;
    }
    return lines;
  }
}

/** The event with the names of its members that all hosts have in JSON: `tokenType` is `token_type`. */
export function jsonOf(event: object): { [member: string]: unknown } {
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]));
}
