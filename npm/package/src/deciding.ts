import { monotonicMs, pause, waitAtMost } from "./clock.js";
import { type Decision, internalError, proofsUnavailable, stillWaiting } from "./decision.js";
import type { Generation } from "./generation.js";
import { Pending, type Waiting } from "./host.js";
import type { InForce } from "./in-force.js";
import { VERIFIED } from "./module-gate.js";
import type { Notes } from "./notes.js";
import type { Context, Options } from "./options.js";
import type { PolicySource } from "./policy-source.js";
import type { Settings } from "./settings.js";
import { safeWaitUntil } from "./wait-until.js";
import { WaitLimits } from "./wait-limits.js";

/** How many checks may wait for asynchronous cryptography at the same time: the module has 256 open questions, of which a check asks at most four. Others wait for their turn. */
const MOST_VERIFYING = 32;

/** Of each principal of a request: the discovery document, the keys that it names, and one more try. The time is bounded too. */
const ROUNDS = 16;

/** Checks until there is a decision, and gets what it waits for meanwhile, within bounds. */
export class Deciding {
  readonly #settings: Settings;
  readonly #inForce: InForce;
  readonly #source: PolicySource | undefined;
  readonly #waitMs: number;
  readonly #waitLimits: WaitLimits;
  /** The number of checks that wait for asynchronous cryptography. */
  #verifying = 0;

  constructor(inForce: InForce, settings: Settings, { waitMs = 6_000, maxWaiting = 1_024 }: Options, source?: PolicySource) {
    this.#inForce = inForce;
    this.#settings = settings;
    this.#source = source;
    this.#waitMs = waitMs;
    this.#waitLimits = new WaitLimits(maxWaiting);
  }

  async decide(check: (generation: Generation, nowMs: number) => Decision | Waiting, context: Context, notes?: Notes): Promise<Decision> {
    const waitUntil = safeWaitUntil(context);
    const inline = this.#settings.inline || (!this.#settings.shared && waitUntil === undefined);
    let release: (() => void) | undefined;
    let untilMs = Infinity;
    let denial: Decision = internalError;
    try {
      for (let [round, verified] = [0, 0]; round < ROUNDS && verified < VERIFIED && monotonicMs() < untilMs; ) {
        if (this.#verifying >= MOST_VERIFYING) {
          untilMs = Math.min(untilMs, monotonicMs() + this.#waitMs);
          notes?.wait();
          await pause(1);
          continue;
        }
        const behind = inline && round === 0 ? this.#inForce.generation.catchUp(waitUntil) : undefined;
        if (behind) {
          notes?.wait();
          await behind;
        }
        const { generation } = this.#inForce;
        const nowMs = generation.nowMs();
        const decision = check(generation, nowMs);
        notes?.take(generation);
        if (decision instanceof Pending) {
          notes?.wait();
          denial = decision.denial;
          untilMs = Math.min(untilMs, monotonicMs() + this.#waitMs);
          verified++;
          // The module limits the open questions about proofs itself, so that a slow store delays no other request.
          const counted = denial === proofsUnavailable ? 0 : 1;
          this.#verifying += counted;
          await waitAtMost(untilMs - monotonicMs(), decision.work);
          this.#verifying -= counted;
          continue;
        }
        if (!Array.isArray(decision)) {
          if (!inline) generation.refresh(nowMs, waitUntil);
          this.#source?.refresh(waitUntil);
          return decision;
        }
        notes?.wait();
        denial = stillWaiting(decision);
        untilMs = Math.min(untilMs, monotonicMs() + this.#waitMs);
        // Start the fetches first, even if this request may then not wait for them.
        const needs = decision.map((need) => generation.start(need, waitUntil, untilMs, notes));
        release ??= this.#waitLimits.acquire(decision.map(({ issuer }) => issuer));
        if (release === undefined) break;
        await waitAtMost(untilMs - monotonicMs(), Promise.all(needs));
        // As signatures, each token has an answer of its own.
        if (decision.some((need) => "ticket" in need)) verified++;
        else round++;
      }
    } finally {
      release?.();
    }
    return denial;
  }
}
