import { codeOf, compare, Counts } from "./comparison.js";
import { type Decision, stillWaiting } from "./decision.js";
import type { Known, Need } from "./documents.js";
import { decisionEvent } from "./events.js";
import { Generation } from "./generation.js";
import { Pending } from "./host.js";
import { VERIFIED } from "./module-gate.js";
import type { Notes } from "./notes.js";
import { asked, type Asked, type Head } from "./request.js";
import type { Settings } from "./settings.js";
import type { ShadowStatus } from "./status.js";
import type { WaitUntil } from "./wait-until.js";
import type { Facts } from "./written.js";

/** A decision of the policy in force, and the request that it was about. */
export interface InForce {
  readonly decision: Decision;
  readonly notes: Notes;
  /** As the caller gave it, for the hook. */
  readonly request: Request | Head;
  /** As it was before the check. */
  readonly given: Request | Head;
  readonly waitUntil?: WaitUntil | undefined;
}

/** The candidate's decision; if it would have to wait, the denial of a caller that does not wait. */
interface Candidate {
  readonly decision: Decision;
  readonly facts: Facts;
  readonly waits: boolean;
}

/** The gate of a candidate. Nothing of it reaches a caller: it waits for no network, sends no token and uses up no proof. */
export class ShadowGate {
  readonly #settings: Settings;
  readonly #generation: Generation;
  #counts = new Counts();

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, settings: Settings) {
    this.#settings = settings;
    this.#generation = new Generation(policy, settings);
  }

  /** Asks the candidate about the same request, counts the comparison and tells it. Never throws. */
  async compare({ decision, notes, request, given, waitUntil }: InForce): Promise<void> {
    try {
      const generation = this.#generation;
      const candidate = await this.#ask(asked(given, generation.reads), notes, waitUntil);
      const comparison = compare({ decision, facts: notes.facts }, candidate.waits ? undefined : candidate);
      this.#counts.add(comparison, ruleOf(notes.facts), codeOf(candidate.decision));
      const { watch, moduleDigest } = this.#settings;
      if (watch?.decisions) watch.decided(decisionEvent(candidate.decision, candidate.facts, { waitedMs: 0, mode: "shadow", comparison, policyDigest: generation.digest, moduleDigest }), request);
    } catch {
      // Whatever fails here is the candidate's: the policy in force has decided.
    }
  }

  async #ask(asked: Asked, notes: Notes, waitUntil?: WaitUntil): Promise<Candidate> {
    const generation = this.#generation;
    for (let round = 0; ; round++) {
      const nowMs = generation.nowMs();
      const decision = generation.check(asked, nowMs, notes);
      const facts = generation.facts(true);
      if (decision instanceof Pending) {
        if (round >= VERIFIED) return { decision: decision.denial, facts, waits: true };
        // The runtime's cryptography, which is asynchronous.
        await decision.work;
      } else if (Array.isArray(decision)) {
        // Whatever is answered here makes another check possible; documents come later.
        if (!this.#supply(decision, notes, nowMs, waitUntil) || round >= VERIFIED) return { decision: stillWaiting(decision), facts, waits: true };
      } else {
        if (this.#mayFetch(waitUntil)) generation.refresh(nowMs, waitUntil);
        return { decision, facts, waits: false };
      }
    }
  }

  /** Gives the candidate the responses that the policy in force got in the same check, and starts to fetch documents. Returns whether nothing else is needed. */
  #supply(needs: readonly Need[], notes: Notes, nowMs: number, waitUntil?: WaitUntil): boolean {
    const generation = this.#generation;
    let isComplete = true;
    for (const need of needs) {
      const answer = "ticket" in need ? notes.answerTo(need) : undefined;
      if ("ticket" in need && answer) generation.respond(need, answer, generation.incarnation, nowMs);
      else isComplete = false;
      if (!("ticket" in need) && this.#mayFetch(waitUntil)) void generation.start(need, waitUntil);
    }
    return isComplete;
  }

  #mayFetch(waitUntil?: WaitUntil): boolean {
    return this.#settings.shared || waitUntil !== undefined;
  }

  adopt(known: readonly Known[]): Promise<void> {
    return this.#generation.adopt(known);
  }

  /** Another policy is in force: what was counted was about other rules. */
  countAnew(): void {
    this.#counts = new Counts();
  }

  documents(): Known[] {
    return this.#generation.documents();
  }

  get status(): ShadowStatus {
    const generation = this.#generation;
    const documents = generation.status(generation.nowMs());
    return { policyDigest: generation.digest, ready: generation.isReady, documents, counts: this.#counts.all(), other: this.#counts.other };
  }

  close(): void {
    this.#generation.close();
  }
}

function ruleOf({ about: { rule } }: Facts): string | null {
  return rule ? (rule.name ?? `/rules/${rule.index}`) : null;
}
