import type { Decision } from "./decision.js";
import { decisionEvent } from "./events.js";
import { Notes } from "./notes.js";
import type { Head } from "./request.js";
import type { Settings } from "./settings.js";
import type { ShadowGate } from "./shadow-gate.js";
import type { WaitUntil } from "./wait-until.js";

/** Who is told of the decisions of a gate: the hook, then the candidate. */
export class Told {
  shadow: ShadowGate | undefined;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** For one check; `undefined` if nobody is told, and nothing has to be noted. */
  notes(mode: "enforced" | "observed"): Notes | undefined {
    const isObserved = mode === "observed";
    return this.shadow || isObserved ? new Notes(this.shadow !== undefined, isObserved) : this.notesOfToken();
  }

  /** For a check of a token without a request, about which no candidate is asked. */
  notesOfToken(): Notes | undefined {
    return this.#settings.watch?.decisions ? new Notes(false) : undefined;
  }

  /** `request` is what the caller gave, and `given` its copy from before the check. Both are absent of a token. Never throws. */
  tell(decision: Decision, notes: Notes, mode: "enforced" | "observed", request?: Request | Head, given?: Request | Head, waitUntil?: WaitUntil): Decision {
    const { watch, moduleDigest } = this.#settings;
    const { facts, waitedMs, policyDigest } = notes;
    if (watch?.decisions) watch.decided(decisionEvent(decision, facts, { waitedMs, mode, policyDigest, moduleDigest }), request);
    if (request && given) void this.shadow?.compare({ decision, notes, request, given, waitUntil });
    return decision;
  }
}
