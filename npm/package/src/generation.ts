import { monotonicMs, nextTurn, pause, wallMs, waitAtMost } from "./clock.js";
import { type Decision, internalError } from "./decision.js";
import { type Answer, type Document, type Fetch, fetchDocument, type Fetcher, type Known } from "./documents.js";
import type { Problem } from "./error.js";
import { PendingFetches } from "./pending-fetches.js";
import { type Accepted, ModuleGate } from "./module-gate.js";
import { type DocumentStatus, readStatus, type Step, type Supplied } from "./written.js";

/** The result of supplying a document. */
export type SupplyResult = Exclude<Supplied, { outcome: "unfinished" }>;

const FAULT: SupplyResult = { outcome: "refused", problem: { pointer: "", code: "internal_error", message: internalError.message, severity: "error" } };

/** The longest chain of documents that depend on one another (metadata, keys, revocations), and one more. */
export const ROUNDS = 4;

/** The longest timer, because the clock of timers stops while the machine is suspended. */
const LONGEST_TIMER_MS = 60_000;

/** How long a request waits for documents that are due, counted from the start of the fetch. */
const CATCH_UP_MS = 1_000;

/** The pause between two readings of an invalid clock. */
const CLOCK_RETRY_MS = 1_000;

/** After so long without a further slice, the reading of a document counts as abandoned. */
const ABANDONED_MS = 10_000;

/** The properties of the runtime, and the options. */
export interface Settings {
  readonly fetch: Fetcher;
  readonly fetchInit: RequestInit;
  /** Whether a request may wait for another request's fetch, and timers may run between requests. */
  readonly shared: boolean;
  /** Whether a request waits, within bounds, for documents that are due before it is decided. Then no timer runs. */
  readonly inline: boolean;
  readonly now: () => number;
}

/** Lets work continue after the request. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** One policy in force, and its documents. It throws only for errors in the configuration. */
export class Generation {
  readonly #settings: Settings;
  readonly #gate: ModuleGate;
  readonly #accepted = new Map<number, Accepted>();
  /** The problems of the last supplied document, by kind and issuer. */
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #pending: PendingFetches;
  /** The sources whose document is being read, and the time of the last slice. */
  readonly #reading = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time until a document is due, and when it was computed, by both clocks. A document is due as soon as one clock says so. */
  #due = { inMs: 0, wallMs: 0, monotonicMs: 0 };

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, settings: Settings) {
    this.#settings = settings;
    this.#pending = new PendingFetches(settings.shared);
    this.#gate = new ModuleGate(policy, () => this.#accepted.values(), (accepted) => void this.#resumeReading(accepted));
  }

  get reads(): ReadonlySet<string> {
    return this.#gate.reads;
  }

  isCaseExact(): boolean {
    return this.#gate.isCaseExact();
  }

  /** The time of the clock; NaN if it is invalid. */
  nowMs(): number {
    return wallMs(this.#settings.now);
  }

  /** A decision, or the documents that it waits for. */
  check(strings: readonly string[], nowMs: number): Decision | Fetch[] {
    return this.#gate.check(strings, nowMs);
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, nowMs: number): Decision | Fetch[] {
    return this.#gate.checkToken(token, requirement, nowMs);
  }

  explain(strings: readonly string[], nowMs: number): Step[] {
    return this.#gate.explain(strings, nowMs);
  }

  status(nowMs: number): DocumentStatus[] {
    return readStatus(this.#gate.status(nowMs), (issuer, kind) => this.#problems.get(`${kind} ${issuer}`) ?? []);
  }

  /** The documents in force. */
  documents(): Known[] {
    return [...this.#accepted.values()].map(({ document: { issuer, kind, uri }, answer, atMs }) => ({ issuer, kind, uri, answer, atMs }));
  }

  /** The documents to fetch now. Their fetches count as started. */
  due(nowMs: number): Fetch[] {
    const due = this.#gate.due(nowMs);
    this.#plan(nowMs);
    return due;
  }

  /** Milliseconds from now until a document is due; `undefined` if none will be. */
  nextDue(nowMs: number): number | undefined {
    return this.#gate.nextDue(nowMs);
  }

  /** Supplies the result of a fetch from this address. Large documents are read in slices. */
  async supply(document: Document, answer: Answer | undefined, atMs: number): Promise<SupplyResult> {
    const { source, issuer, kind } = document;
    // One document of a source at a time: the module continues only the last one that was started.
    for (let since = this.#reading.get(source); since !== undefined && monotonicMs() - since < ABANDONED_MS; since = this.#reading.get(source)) await pause(5);
    const ended = (await this.#read(document, answer, atMs)) ?? FAULT;
    this.#plan(this.nowMs());
    // The result says nothing about the document at its new address.
    if (ended.outcome === "outdated") return ended;
    if (ended.outcome === "accepted" && answer) this.#accepted.set(source, { document, answer, atMs });
    this.#problems.set(`${kind} ${issuer}`, ended.outcome === "accepted" ? ended.skipped : [ended.problem]);
    return ended;
  }

  /** Reads it slice by slice; `undefined` after a fault, or if the module was restarted and has lost the earlier slices. */
  async #read(document: Document, answer: Answer | undefined, atMs: number): Promise<SupplyResult | undefined> {
    const { source } = document;
    try {
      let supplied = this.#gate.supply(document, answer, atMs);
      const { incarnation } = this.#gate;
      for (let slice = 1; supplied?.outcome === "unfinished"; slice++) {
        this.#reading.set(source, monotonicMs());
        await nextTurn();
        supplied = incarnation === this.#gate.incarnation ? this.#gate.resume(document, answer, slice, atMs) : undefined;
      }
      return supplied;
    } finally {
      this.#reading.delete(source);
    }
  }

  /** Fetches a document and supplies it, or joins the fetch in progress until `untilMs`. */
  startFetch(fetch: Fetch, waitUntil?: WaitUntil, untilMs = Infinity): Promise<void> {
    const inProgress = this.#pending.inProgress(fetch);
    if (inProgress) return this.#pending.join(inProgress, untilMs);
    const { fetch: fetcher, fetchInit } = this.#settings;
    const { work } = this.#pending.start(fetch, fetch.timeout_ms, async () => {
      const answer = await fetchDocument(fetch, fetcher, fetchInit);
      await this.supply(fetch, answer, this.nowMs());
    });
    waitUntil?.(work);
    return work;
  }

  /** Starts to fetch the documents that are due, without waiting for them. */
  refresh(nowMs: number, waitUntil?: WaitUntil): void {
    if (!this.#isDue(nowMs)) return;
    for (const fetch of this.due(nowMs)) void this.startFetch(fetch, waitUntil);
  }

  /**
   * Fetches the documents that are due and waits for them, within bounds; `undefined` if none is. For processes that were frozen, and for runtimes that
   * do no work between requests. It does not wait for a document that was never loaded: a check that needs that document waits for it.
   */
  catchUp(waitUntil?: WaitUntil): Promise<void> | undefined {
    if (this.#accepted.size === 0) return undefined;
    this.refresh(this.nowMs(), waitUntil);
    const known = this.#pending.all().filter(({ source }) => this.#accepted.has(source));
    const untilMs = Math.max(...known.map(({ startedMs }) => startedMs + CATCH_UP_MS));
    const leftMs = untilMs - monotonicMs();
    return leftMs > 0 ? waitAtMost(leftMs, Promise.all(known.map((fetch) => this.#pending.join(fetch, untilMs)))) : undefined;
  }

  /** Fetches the documents that are due until none is. */
  async preload(): Promise<void> {
    for (let round = 0; round < ROUNDS && !this.#gate.closed; round++) {
      const due = this.due(this.nowMs());
      const fetches = this.#pending.all().map((fetch) => this.#pending.join(fetch, Infinity));
      await Promise.all([...fetches, ...due.map((fetch) => this.startFetch(fetch))]);
      if (due.length === 0) break;
    }
  }

  /** Supplies documents that were fetched elsewhere, and fetches none. A document that names another one is supplied a round before it. */
  async adopt(known: readonly Known[]): Promise<void> {
    for (let round = 0; round < ROUNDS && known.length > 0; round++) {
      const nowMs = this.nowMs();
      let adopted = 0;
      // In the order of their sources.
      for (const [source, { issuer, kind, uri, ageMs }] of this.status(nowMs).entries()) {
        const found = ageMs === null ? known.find((one) => one.kind === kind && one.uri === uri) : undefined;
        if (!found || this.#accepted.has(source)) continue;
        await this.supply({ source, issuer, kind, uri }, found.answer, Math.min(found.atMs, nowMs));
        if (this.#accepted.has(source)) adopted++;
      }
      if (adopted === 0) break;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#gate.close();
  }

  /** A restarted module has started to read a document that was in force: checks that need it can join as if it were a fetch. */
  #resumeReading({ document, answer, atMs }: Accepted): void {
    if (this.#pending.inProgress(document)) return;
    this.#pending.start(document, 0, async () => void (await this.supply(document, answer, atMs)));
  }

  #isDue(nowMs: number): boolean {
    const { inMs, wallMs, monotonicMs: askedMs } = this.#due;
    if (Number.isNaN(nowMs) || this.#gate.closed) return false;
    // If the wall clock was set back, it cannot measure the time since then: the document counts as due. If a timer runs, the timer
    // measures the monotonic time.
    return !(nowMs - wallMs < inMs) || nowMs < wallMs || (this.#timer === undefined && monotonicMs() - askedMs >= inMs);
  }

  /** Computes when a document is due, and where timers may run, sets a timer for it. */
  #plan(nowMs: number): void {
    const { shared, inline } = this.#settings;
    // While the clock is invalid, it is read again after a pause.
    const inMs = Number.isNaN(nowMs) ? CLOCK_RETRY_MS : (this.#gate.nextDue(nowMs) ?? Infinity);
    this.#due = { inMs, wallMs: nowMs, monotonicMs: monotonicMs() };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!shared || inline || this.#gate.closed || inMs === Infinity) return;
    // Random jitter, so that the processes of a fleet do not fetch at the same moment.
    const lateMs = Math.random() * Math.min(inMs / 10, 5_000);
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(inMs + lateMs, 20), LONGEST_TIMER_MS));
    // The timer must not keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #wake(): void {
    this.#timer = undefined;
    const nowMs = this.nowMs();
    if (this.#isDue(nowMs)) this.refresh(nowMs);
    else this.#plan(nowMs);
  }
}
