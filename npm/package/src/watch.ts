// The hooks of a gate.

import { CountersignError } from "./error.js";
import type { DecisionEvent, DocumentEvent } from "./events.js";
import type { Head } from "./request.js";
import { bytesOf } from "./secrets.js";

export interface Hooks {
  /**
   * Called with each decision, and the request that it is about (`undefined` of a token without a request), before the caller gets the decision. An error of
   * it changes nothing: each different one is logged once.
   */
  readonly onDecision?: ((event: DecisionEvent, request: Request | Head | undefined) => unknown) | undefined;
  /** Called with each document that was fetched, or could not be. */
  readonly onDocument?: ((event: DocumentEvent) => unknown) | undefined;
  /** A secret of 16 bytes or more: with it, events have a `subjectRef`, by which those who have the key find the events of a person. A text is its UTF-8. */
  readonly subjectKey?: string | Uint8Array | undefined;
}

const SHORTEST_KEY_BYTES = 16;

export class Watch {
  readonly subjectKey: Uint8Array;
  readonly #hooks: Hooks;
  #logged = "";

  /** @throws CountersignError if the key is too short. */
  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    this.subjectKey = hooks.subjectKey === undefined ? new Uint8Array() : bytesOf("subjectKey", hooks.subjectKey).slice();
    if (hooks.subjectKey !== undefined && this.subjectKey.length < SHORTEST_KEY_BYTES) {
      throw CountersignError.of("configuration", "subject_key_short", `\`subjectKey\` needs ${SHORTEST_KEY_BYTES} bytes or more`);
    }
  }

  /** Whether somebody asks for decisions. */
  get decisions(): boolean {
    return this.#hooks.onDecision !== undefined;
  }

  get documents(): boolean {
    return this.#hooks.onDocument !== undefined;
  }

  decided(event: DecisionEvent, request: Request | Head | undefined): void {
    this.#call(() => this.#hooks.onDecision?.(event, request));
  }

  fetched(event: DocumentEvent): void {
    this.#call(() => this.#hooks.onDocument?.(event));
  }

  /** A hook that throws, or returns a promise that fails, changes nothing. */
  #call(hook: () => unknown): void {
    const log = (fault: unknown) => {
      const text = safeText(fault);
      if (text !== this.#logged) console.error(`countersign: a hook failed: ${text}`);
      this.#logged = text;
    };
    try {
      const ended = hook();
      if (ended !== undefined) Promise.resolve(ended).then(undefined, log);
    } catch (fault) {
      log(fault);
    }
  }
}

function safeText(fault: unknown): string {
  try {
    return String(fault);
  } catch {
    return "an error without a text";
  }
}
