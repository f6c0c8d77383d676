import { monotonicMs, waitAtMost } from "./clock.js";
import { type Answer, type Decision, internalError, stillWaiting } from "./decision.js";
import type { Fetch, Fetcher } from "./documents.js";
import { CountersignError } from "./error.js";
import { Generation, ROUNDS, type Settings, type WaitUntil } from "./generation.js";
import { inspect } from "./glue/countersign.js";
import { restart, start } from "./instance.js";
import type { AnyPolicy, Requirement } from "./policies.js";
import { bytesOf } from "./policy-bytes.js";
import { type Head, strings } from "./request.js";
import { WaitLimits } from "./wait-limits.js";
import { type GateDocument, ofDocuments, toDocuments } from "./stored.js";
import { type DocumentStatus, type Inspection, readInspection, type Step } from "./written.js";

export interface Options {
  /** A replacement for the runtime's `fetch`. It must not follow redirects. */
  readonly fetch?: Fetcher;
  /** Documents from {@link Gate.documents} of this or another process. None of them is fetched before it is due. */
  readonly documents?: readonly GateDocument[];
  /** How long a check waits for documents, in milliseconds. Default: 6,000. */
  readonly waitMs?: number;
  /** How many checks may wait at the same time for the documents of one issuer. Default: 1,024. Others are denied with `keys_unavailable`. */
  readonly maxWaiting?: number;
  /**
   * `background` (the default): documents are refreshed on timers, or in Workers during requests. `inline`, for processes that are frozen between
   * requests: if documents are due, a request fetches them and waits for them, at most one second, before it is decided.
   */
  readonly refresh?: "background" | "inline";
  /** The clock: milliseconds since the epoch. Default: `Date.now`. While it returns anything else, every request is denied. */
  readonly now?: () => number;
  /** The compiled sealed module, for runtimes that none of the package's entries supports. */
  readonly module?: WebAssembly.Module;
}

/** The runtime's context of the current request, if it has one. */
export interface Context {
  /** Lets a fetch continue after the request. Without it, in runtimes that do no work between requests, the request waits for the fetch. */
  waitUntil?(work: Promise<unknown>): void;
}

/** The differences between runtimes. */
export interface Platform {
  readonly module: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  readonly shared: boolean;
  readonly fetchInit: RequestInit;
}

/**
 * Opens a policy: an object, JSON, or the URL of JSON. It fetches no documents before a check or {@link Gate.preload} needs them.
 * @throws CountersignError with every problem of the policy.
 */
export type CreateGate = (policy: AnyPolicy, options?: Options) => Promise<Gate>;

export function creator(platform: Platform): CreateGate {
  return (policy, options = {}) => {
    const gate = create(platform, policy, options);
    // A caller may await it later: an error until then must not end the process as an unhandled rejection.
    gate.catch(() => {});
    return gate;
  };
}

async function create({ module, fetchInit, shared }: Platform, policy: AnyPolicy, options: Options): Promise<Gate> {
  const settings: Settings = {
    // Looked up at each call, because frameworks replace it.
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

/** Decides requests by a policy, and fetches the documents that it needs. Checks never throw, whatever the request is. */
export class Gate {
  readonly #settings: Settings;
  readonly #waitMs: number;
  readonly #waitLimits: WaitLimits;
  #generation: Generation;
  /** New policies whose documents are being fetched. */
  readonly #opening = new Set<Generation>();
  /** The number of calls of `reload`, and the number of the call whose policy is in force. */
  #reloads = 0;
  #inForce = 0;
  /** The last queued reload. Reloads run one after the other, in the order of the calls. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @internal */
  constructor(generation: Generation, settings: Settings, { waitMs = 6_000, maxWaiting = 1_024 }: Options) {
    this.#generation = generation;
    this.#settings = settings;
    this.#waitMs = waitMs;
    this.#waitLimits = new WaitLimits(maxWaiting);
  }

  /** Decides a request. If the decision needs documents, it waits for them, within bounds. It never reads the body. */
  check(request: Request | Head, context: Context = {}): Promise<Decision> {
    let reader: Generation | undefined;
    let read: readonly string[] = [];
    return this.#decide((generation, nowMs) => {
      // Read only once: a check that waits is repeated, but some headers can be iterated only once.
      if (reader !== generation) read = strings(request, (reader = generation).reads);
      return generation.check(read, nowMs);
    }, context);
  }

  /** {@link check} without waiting. If a document is missing, it denies with 503 `keys_unavailable` (or `revocations_unavailable`) and, in runtimes that do work between requests, fetches the document. */
  checkSync(request: Request | Head): Decision {
    const generation = this.#generation;
    const decision = generation.check(strings(request, generation.reads), generation.nowMs());
    if (!Array.isArray(decision)) return decision;
    if (this.#settings.shared) for (const fetch of decision) void generation.startFetch(fetch);
    return stillWaiting(decision);
  }

  /**
   * Decides a token without an HTTP request, like {@link check}.
   * @throws CountersignError with every problem of the requirement.
   */
  async verify(token: string, requirement?: Requirement, context: Context = {}): Promise<Exclude<Decision, Answer>> {
    const required = requirement === undefined ? undefined : JSON.stringify(requirement);
    const written = typeof token === "string" && token.length <= LONGEST_TOKEN ? token : "?";
    const decision = await this.#decide((generation, nowMs) => generation.checkToken(written, required, nowMs), context);
    // Without a request, the gate answers nothing itself.
    return decision.allow || decision.code !== null ? decision : internalError;
  }

  /** Decodes a token without verifying it. Never use the result as a decision. */
  inspect(token: string): Inspection {
    try {
      return readInspection(inspect(new TextEncoder().encode(token)));
    } catch {
      restart();
      return { header: null, claims: null, headerText: null, claimsText: null, signatureBytes: null, fault: "internal_error" };
    }
  }

  /** Lists every check in order, with its details, for debugging. It shows values of claims: give it only to people who may see them. It fetches nothing. */
  explain(request: Request | Head): Step[] {
    const generation = this.#generation;
    return generation.explain(strings(request, generation.reads), generation.nowMs());
  }

  /**
   * Puts a new policy in force. The old one stays in force until the new one is open and the fetches of its documents have ended. Documents from the same
   * addresses are reused. After several calls the policy of the last call is in force.
   * @throws CountersignError with every problem of the policy, or if the gate is closed. The old policy then stays in force.
   */
  reload(policy: AnyPolicy): Promise<void> {
    const number = ++this.#reloads;
    // Where a request must not wait for another request's work, reloads run at the same time, and only the number decides.
    const turn = this.#settings.shared ? this.#queue.then(() => this.#replace(policy, number)) : this.#replace(policy, number);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #replace(policy: AnyPolicy, number: number): Promise<void> {
    const bytes = await bytesOf(policy, this.#settings);
    if (this.#closed) throw closed();
    const next = new Generation(bytes, this.#settings);
    this.#opening.add(next);
    await next.adopt(this.#generation.documents());
    await next.preload();
    this.#opening.delete(next);
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

  /** The documents in force, for {@link Options.documents} of other gates, for example through a build step or a store. */
  documents(): GateDocument[] {
    return toDocuments(this.#generation.documents());
  }

  /** The state of every document, for readiness probes and metrics. */
  status(): readonly DocumentStatus[] {
    return this.#generation.status(this.#generation.nowMs());
  }

  /** @internal Whether the policy has `path_case: exact`, for adapters of routers that ignore case. */
  isCaseExact(): boolean {
    return this.#generation.isCaseExact();
  }

  /** Frees the gate's memory. Every later check is denied, even if a reload is in progress. */
  close(): void {
    this.#closed = true;
    this.#generation.close();
    for (const next of this.#opening) next.close();
  }

  async #decide(check: (generation: Generation, nowMs: number) => Decision | Fetch[], context: Context): Promise<Decision> {
    const waitUntil = safeWaitUntil(context);
    const inline = this.#settings.inline || (!this.#settings.shared && waitUntil === undefined);
    let release: (() => void) | undefined;
    let untilMs = Infinity;
    let denial: Decision = internalError;
    try {
      for (let round = 0; round < ROUNDS && monotonicMs() < untilMs; round++) {
        const behind = inline && round === 0 ? this.#generation.catchUp(waitUntil) : undefined;
        if (behind) await behind;
        const generation = this.#generation;
        const nowMs = generation.nowMs();
        const decision = check(generation, nowMs);
        if (!Array.isArray(decision)) {
          if (!inline) generation.refresh(nowMs, waitUntil);
          return decision;
        }
        denial = stillWaiting(decision);
        untilMs = Math.min(untilMs, monotonicMs() + this.#waitMs);
        // Start the fetches first, even if this request may then not wait for them.
        const fetches = decision.map((fetch) => generation.startFetch(fetch, waitUntil, untilMs));
        release ??= this.#waitLimits.acquire(decision.map(({ issuer }) => issuer));
        if (release === undefined) break;
        await waitAtMost(untilMs - monotonicMs(), Promise.all(fetches));
      }
    } finally {
      release?.();
    }
    return denial;
  }
}

/** More than every policy allows: a longer token is not copied into the module. */
const LONGEST_TOKEN = 1 << 20;

function closed(): CountersignError {
  return CountersignError.of("policy", "gate_closed", "the gate was closed");
}

/** A `waitUntil` that never throws; `undefined` if the context has none. */
function safeWaitUntil(context: Context): WaitUntil | undefined {
  if (typeof context?.waitUntil !== "function") return undefined;
  return (work) => {
    try {
      context.waitUntil?.(work);
    } catch {
      // The request has ended, or the context belongs to another one: the work goes on as long as the runtime lets it.
    }
  };
}
