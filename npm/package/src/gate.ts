import { monotonicMs, within } from "./clock.js";
import { type Decision, internalError, stillWaiting } from "./decision.js";
import type { Fetch, Fetcher } from "./documents.js";
import { CountersignError } from "./error.js";
import { Generation, ROUNDS, type Settings, type WaitUntil } from "./generation.js";
import { inspect } from "./glue/countersign.js";
import { restart, start } from "./instance.js";
import type { AnyPolicy, Requirement } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";
import { type Head, strings } from "./request.js";
import { Rooms } from "./rooms.js";
import { type GateDocument, ofDocuments, toDocuments } from "./stored.js";
import { type DocumentStatus, type Inspection, readInspection, type Step } from "./written.js";

export interface Options {
  /** Fetches documents instead of the runtime's `fetch`. Must not follow redirects. */
  readonly fetch?: Fetcher;
  /** Documents that {@link Gate.documents} gave out, here or elsewhere: none of these is fetched before it is past due. */
  readonly documents?: readonly GateDocument[];
  /** How long a check waits for documents, in milliseconds: 6,000. */
  readonly waitMs?: number;
  /** How many checks may wait at once for the documents of one issuer: 1,024. Others are denied with `keys_unavailable`. */
  readonly maxWaiting?: number;
  /**
   * `background`, by timers, or in Workers beside requests; or `inline`, for processes that are frozen between requests: one that finds documents past
   * due fetches them and waits for them, for a second at most, before it is decided.
   */
  readonly refresh?: "background" | "inline";
  /** Milliseconds since the epoch: `Date.now`. While it answers anything else, everything is denied. */
  readonly now?: () => number;
  /** The sealed module, compiled: for runtimes that none of the package's entries fits. */
  readonly module?: WebAssembly.Module;
}

/** Of the request that is being handled, where the runtime has such a thing. */
export interface Context {
  /** Lets a fetch of documents outlive the request. Without it the request waits for it, where no work may be done between requests. */
  waitUntil?(work: Promise<unknown>): void;
}

/** What a runtime brings. */
export interface Platform {
  readonly module: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  readonly shared: boolean;
  readonly fetchInit: RequestInit;
}

/**
 * Opens a policy: an object, JSON, or the URL of JSON. Fetches nothing else before a check or {@link Gate.preload} needs it.
 * @throws CountersignError with every problem of the policy.
 */
export type CreateGate = (policy: AnyPolicy, options?: Options) => Promise<Gate>;

export function creator(platform: Platform): CreateGate {
  return (policy, options = {}) => {
    const gate = create(platform, policy, options);
    // Whoever awaits it hears of a fault. Nobody yet is no reason for a process to end.
    gate.catch(() => {});
    return gate;
  };
}

async function create({ module, fetchInit, shared }: Platform, policy: AnyPolicy, options: Options): Promise<Gate> {
  const settings: Settings = {
    // Looked up when it is called: frameworks replace it.
    fetch: options.fetch ?? ((uri, init) => fetch(uri, init)),
    fetchInit,
    shared,
    inline: options.refresh === "inline",
    now: options.now ?? Date.now,
  };
  const documents = ofDocuments(options.documents ?? []);
  await start(options.module ?? (await module()));
  const generation = new Generation(await bytesOf(policy, settings), settings);
  await generation.adopt(documents);
  return new Gate(generation, settings, options);
}

/** Decides requests by a policy, and fetches the documents that this takes. Checks never throw, whatever the request. */
export class Gate {
  readonly #settings: Settings;
  readonly #waitMs: number;
  readonly #rooms: Rooms;
  #generation: Generation;
  /** What is to come into force, while its documents come. */
  readonly #coming = new Set<Generation>();
  /** How many policies were to be put in force, and which of them is. */
  #asked = 0;
  #inForce = 0;
  /** The last of those who want to put a policy in force: one at a time, in the order in which they asked. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @internal */
  constructor(generation: Generation, settings: Settings, { waitMs = 6_000, maxWaiting = 1_024 }: Options) {
    this.#generation = generation;
    this.#settings = settings;
    this.#waitMs = waitMs;
    this.#rooms = new Rooms(maxWaiting);
  }

  /** May this request pass? Waits, within bounds, for documents that the answer takes. Never reads the body. */
  check(request: Request | Head, context: Context = {}): Promise<Decision> {
    let reader: Generation | undefined;
    let read: readonly string[] = [];
    return this.#decide((generation, nowMs) => {
      // Once: what waits is asked again, and some headers can only be read once.
      if (reader !== generation) read = strings(request, (reader = generation).reads);
      return generation.check(read, nowMs);
    }, context);
  }

  /** The same without waiting: what is not there yet is denied with 503 `keys_unavailable` (or `revocations_unavailable`) and fetched, where work may be done between requests. */
  checkSync(request: Request | Head): Decision {
    const generation = this.#generation;
    const decision = generation.check(strings(request, generation.reads), generation.nowMs());
    if (!Array.isArray(decision)) return decision;
    if (this.#settings.shared) for (const fetch of decision) void generation.fly(fetch);
    return stillWaiting(decision);
  }

  /**
   * Is this token good, and good enough? The same as {@link check} without HTTP.
   * @throws CountersignError with every problem of the requirement.
   */
  async verify(token: string, requirement?: Requirement, context: Context = {}): Promise<Decision> {
    const required = requirement === undefined ? undefined : JSON.stringify(requirement);
    const written = typeof token === "string" && token.length <= LONGEST_TOKEN ? token : "?";
    return this.#decide((generation, nowMs) => generation.checkToken(written, required, nowMs), context);
  }

  /** Decodes a token. Never a decision: nobody has verified what it says. */
  inspect(token: string): Inspection {
    try {
      return readInspection(inspect(new TextEncoder().encode(token)));
    } catch {
      restart();
      return { header: null, claims: null, headerText: null, claimsText: null, signatureBytes: null, fault: "internal_error" };
    }
  }

  /** Every check in order, with what it saw: for people, and only for those who may see claims. Fetches nothing. */
  explain(request: Request | Head): Step[] {
    const generation = this.#generation;
    return generation.explain(strings(request, generation.reads), generation.nowMs());
  }

  /**
   * Puts another policy in force. The old one stays until the new one is open and its documents were fetched, or could not be; documents from the same
   * addresses are taken over. Of several the one that was asked for last is in force in the end.
   * @throws CountersignError with every problem of the policy, or where the gate was closed: nothing has changed then.
   */
  reload(policy: AnyPolicy): Promise<void> {
    const number = ++this.#asked;
    // Where a request must not wait for another's work, they come at once, and the number alone decides.
    const turn = this.#settings.shared ? this.#turn.then(() => this.#replace(policy, number)) : this.#replace(policy, number);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #replace(policy: AnyPolicy, number: number): Promise<void> {
    const bytes = await bytesOf(policy, this.#settings);
    if (this.#closed) throw closed();
    const next = new Generation(bytes, this.#settings);
    this.#coming.add(next);
    await next.adopt(this.#generation.documents());
    await next.preload();
    this.#coming.delete(next);
    if (this.#closed) throw closed();
    const overtaken = number < this.#inForce;
    (overtaken ? next : this.#generation).close();
    if (overtaken) return;
    this.#generation = next;
    this.#inForce = number;
  }

  /** Fetches every document that is due. */
  async preload(): Promise<readonly DocumentStatus[]> {
    await this.#generation.preload();
    return this.status();
  }

  /** The documents in force, for {@link Options.documents} of other gates: a build step or a store supplies them all. */
  documents(): GateDocument[] {
    return toDocuments(this.#generation.documents());
  }

  /** The state of every document, for readiness probes and metrics. */
  status(): readonly DocumentStatus[] {
    return this.#generation.status(this.#generation.nowMs());
  }

  /** @internal Whether the policy says that its backends tell letters' case apart: for adapters of those that do not. */
  isCaseExact(): boolean {
    return this.#generation.isCaseExact();
  }

  /** Frees the gate's memory. It denies everything from now on, and no policy that is still on its way changes that. */
  close(): void {
    this.#closed = true;
    this.#generation.close();
    for (const next of this.#coming) next.close();
  }

  async #decide(ask: (generation: Generation, nowMs: number) => Decision | Fetch[], context: Context): Promise<Decision> {
    const waitUntil = outliving(context);
    const inline = this.#settings.inline || (!this.#settings.shared && waitUntil === undefined);
    let leave: (() => void) | undefined;
    let untilMs = Infinity;
    let denial = internalError;
    try {
      for (let round = 0; round < ROUNDS && monotonicMs() < untilMs; round++) {
        const behind = inline && round === 0 ? this.#generation.catchUp(waitUntil) : undefined;
        if (behind) await behind;
        const generation = this.#generation;
        const nowMs = generation.nowMs();
        const decision = ask(generation, nowMs);
        if (!Array.isArray(decision)) {
          if (!inline) generation.refresh(nowMs, waitUntil);
          return decision;
        }
        denial = stillWaiting(decision);
        untilMs = Math.min(untilMs, monotonicMs() + this.#waitMs);
        // First the fetches: whoever finds no place has started them all the same.
        const flights = decision.map((fetch) => generation.fly(fetch, waitUntil, untilMs));
        leave ??= this.#rooms.enter(decision.map(({ issuer }) => issuer));
        if (leave === undefined) break;
        await within(untilMs - monotonicMs(), Promise.all(flights));
      }
    } finally {
      leave?.();
    }
    return denial;
  }
}

/** Over every limit of a policy: longer ones are not even copied. */
const LONGEST_TOKEN = 1 << 20;

function closed(): CountersignError {
  return CountersignError.of("policy", "gate_closed", "the gate was closed");
}

/** What lets work outlive the request, never throwing; `undefined` where nothing does. */
function outliving(context: Context): WaitUntil | undefined {
  if (typeof context?.waitUntil !== "function") return undefined;
  return (work) => {
    try {
      context.waitUntil?.(work);
    } catch {
      // The request is over, or the context of another: the work goes on for as long as it may.
    }
  };
}
