import { monotonicMs, nextTurn, pause, wallMs, within } from "./clock.js";
import { type Decision, internalError } from "./decision.js";
import { type Answer, type Document, type Fetch, fetchDocument, type Fetcher, type Known } from "./documents.js";
import type { Problem } from "./error.js";
import { Flights } from "./flights.js";
import { type Accepted, Held } from "./held.js";
import { type DocumentStatus, readStatus, type Step, type Supplied } from "./written.js";

/** What became of a document. */
export type Ended = Exclude<Supplied, { outcome: "unfinished" }>;

const FAULT: Ended = { outcome: "refused", problem: { pointer: "", code: "internal_error", message: internalError.message, severity: "error" } };

/** As many documents as may wait for one another: metadata, keys, revocations, and one more. */
export const ROUNDS = 4;

/** The longest nap between two looks at what is due: the clock that timers run by may stand still with the machine. */
const LONGEST_NAP_MS = 60_000;

/** How long a request waits for what is past due, counted from the start of the fetch. */
const CATCH_UP_MS = 1_000;

/** Between two looks at a clock that answers nonsense. */
const CLOCK_MS = 1_000;

/** A document whose slices nobody goes on with for so long was given up. */
const GIVEN_UP_MS = 10_000;

/** What a runtime allows, and what was asked for. */
export interface Settings {
  readonly fetch: Fetcher;
  readonly fetchInit: RequestInit;
  /** Whether one request may wait for what another fetches, and timers may run between them. */
  readonly shared: boolean;
  /** Whether a request that finds documents past due waits for them, within bounds, before it is decided. Then no timer runs. */
  readonly inline: boolean;
  readonly now: () => number;
}

/** Takes work that may outlive a request. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** One policy in force, and its documents. Never throws but for mistakes in the configuration. */
export class Generation {
  readonly #settings: Settings;
  readonly #held: Held;
  readonly #accepted = new Map<number, Accepted>();
  /** What was not used of the last document that came, by issuer and kind. */
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #flights: Flights;
  /** Sources of which a document is being read, and since when. */
  readonly #reading = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How long nothing was due, and when that was asked, by both clocks: whichever says that it is over is believed. */
  #due = { inMs: 0, wallMs: 0, monotonicMs: 0 };

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, settings: Settings) {
    this.#settings = settings;
    this.#flights = new Flights(settings.shared);
    this.#held = new Held(policy, () => this.#accepted.values(), (accepted) => void this.#readAgain(accepted));
  }

  get reads(): ReadonlySet<string> {
    return this.#held.reads;
  }

  isCaseExact(): boolean {
    return this.#held.isCaseExact();
  }

  /** What the clock says; NaN where it answers nonsense. */
  nowMs(): number {
    return wallMs(this.#settings.now);
  }

  /** A decision, or the documents that it waits for. */
  check(strings: readonly string[], nowMs: number): Decision | Fetch[] {
    return this.#held.check(strings, nowMs);
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, nowMs: number): Decision | Fetch[] {
    return this.#held.checkToken(token, requirement, nowMs);
  }

  explain(strings: readonly string[], nowMs: number): Step[] {
    return this.#held.explain(strings, nowMs);
  }

  status(nowMs: number): DocumentStatus[] {
    return readStatus(this.#held.status(nowMs), (issuer, kind) => this.#problems.get(`${kind} ${issuer}`) ?? []);
  }

  /** The documents in force. */
  documents(): Known[] {
    return [...this.#accepted.values()].map(({ document: { issuer, kind, uri }, answer, atMs }) => ({ issuer, kind, uri, answer, atMs }));
  }

  /** What to fetch now. It counts as started. */
  due(nowMs: number): Fetch[] {
    const due = this.#held.due(nowMs);
    this.#plan(nowMs);
    return due;
  }

  /** Milliseconds from now until something is due; `undefined` if never. */
  nextDue(nowMs: number): number | undefined {
    return this.#held.nextDue(nowMs);
  }

  /** A fetch ended, of a document at this address. Large ones are read in slices. */
  async supply(document: Document, answer: Answer | undefined, atMs: number): Promise<Ended> {
    const { source, issuer, kind } = document;
    // One at a time of a source: the module reads the last that was begun.
    for (let since = this.#reading.get(source); since !== undefined && monotonicMs() - since < GIVEN_UP_MS; since = this.#reading.get(source)) await pause(5);
    const ended = (await this.#read(document, answer, atMs)) ?? FAULT;
    this.#plan(this.nowMs());
    // Nothing was learned of the document where it is now.
    if (ended.outcome === "outdated") return ended;
    if (ended.outcome === "accepted" && answer) this.#accepted.set(source, { document, answer, atMs });
    this.#problems.set(`${kind} ${issuer}`, ended.outcome === "accepted" ? ended.skipped : [ended.problem]);
    return ended;
  }

  /** Slice by slice; `undefined` after a fault, or where another instance of the module knows nothing of the last slice. */
  async #read(document: Document, answer: Answer | undefined, atMs: number): Promise<Ended | undefined> {
    const { source } = document;
    try {
      let supplied = this.#held.supply(document, answer, atMs);
      const { incarnation } = this.#held;
      for (let slice = 1; supplied?.outcome === "unfinished"; slice++) {
        this.#reading.set(source, monotonicMs());
        await nextTurn();
        supplied = incarnation === this.#held.incarnation ? this.#held.resume(document, answer, slice, atMs) : undefined;
      }
      return supplied;
    } finally {
      this.#reading.delete(source);
    }
  }

  /** Fetches a document and supplies it, or joins those who do until it is too late. */
  fly(fetch: Fetch, waitUntil?: WaitUntil, untilMs = Infinity): Promise<void> {
    const underWay = this.#flights.underWay(fetch);
    if (underWay) return this.#flights.join(underWay, untilMs);
    const { fetch: fetcher, fetchInit } = this.#settings;
    const { work } = this.#flights.start(fetch, fetch.timeout_ms, async () => {
      const answer = await fetchDocument(fetch, fetcher, fetchInit);
      await this.supply(fetch, answer, this.nowMs());
    });
    waitUntil?.(work);
    return work;
  }

  /** Fetches what is due, if anything, beside what is going on. */
  refresh(nowMs: number, waitUntil?: WaitUntil): void {
    if (!this.#isDue(nowMs)) return;
    for (const fetch of this.due(nowMs)) void this.fly(fetch, waitUntil);
  }

  /**
   * Fetches what is past due and waits for it, within bounds; `undefined` where nothing is. For processes that were asleep, and runtimes that
   * do no work between requests. What was never there is not waited for: whatever needs it does so.
   */
  catchUp(waitUntil?: WaitUntil): Promise<void> | undefined {
    if (this.#accepted.size === 0) return undefined;
    this.refresh(this.nowMs(), waitUntil);
    const known = this.#flights.all().filter(({ source }) => this.#accepted.has(source));
    const untilMs = Math.max(...known.map(({ startedMs }) => startedMs + CATCH_UP_MS));
    const leftMs = untilMs - monotonicMs();
    return leftMs > 0 ? within(leftMs, Promise.all(known.map((flight) => this.#flights.join(flight, untilMs)))) : undefined;
  }

  /** Fetches everything that is due, until nothing more is. */
  async preload(): Promise<void> {
    for (let round = 0; round < ROUNDS && !this.#held.closed; round++) {
      const due = this.due(this.nowMs());
      const flights = this.#flights.all().map((flight) => this.#flights.join(flight, Infinity));
      await Promise.all([...flights, ...due.map((fetch) => this.fly(fetch))]);
      if (due.length === 0) break;
    }
  }

  /** Takes over documents that others fetched, and fetches none. One that names others comes a round before them. */
  async adopt(known: readonly Known[]): Promise<void> {
    for (let round = 0; round < ROUNDS && known.length > 0; round++) {
      const nowMs = this.nowMs();
      let adopted = 0;
      // In the order of their sources.
      for (const [source, { issuer, kind, uri, ageMs }] of this.status(nowMs).entries()) {
        const there = ageMs === null ? known.find((one) => one.kind === kind && one.uri === uri) : undefined;
        if (!there || this.#accepted.has(source)) continue;
        await this.supply({ source, issuer, kind, uri }, there.answer, Math.min(there.atMs, nowMs));
        if (this.#accepted.has(source)) adopted++;
      }
      if (adopted === 0) break;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#held.close();
  }

  /** A fresh instance has begun to read what was in force: who needs it joins. */
  #readAgain({ document, answer, atMs }: Accepted): void {
    if (this.#flights.underWay(document)) return;
    this.#flights.start(document, 0, async () => void (await this.supply(document, answer, atMs)));
  }

  #isDue(nowMs: number): boolean {
    const { inMs, wallMs, monotonicMs: askedMs } = this.#due;
    if (Number.isNaN(nowMs) || this.#held.closed) return false;
    // A clock that was set back says nothing about how long it has been. Where a timer runs, that one does.
    return !(nowMs - wallMs < inMs) || nowMs < wallMs || (this.#timer === undefined && monotonicMs() - askedMs >= inMs);
  }

  /** Notes how long nothing is due, and where timers may run, wakes up for it. */
  #plan(nowMs: number): void {
    const { shared, inline } = this.#settings;
    // While the clock answers nonsense, it is asked again.
    const inMs = Number.isNaN(nowMs) ? CLOCK_MS : (this.#held.nextDue(nowMs) ?? Infinity);
    this.#due = { inMs, wallMs: nowMs, monotonicMs: monotonicMs() };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!shared || inline || this.#held.closed || inMs === Infinity) return;
    // A little late, so that not all of a fleet comes at once.
    const lateMs = Math.random() * Math.min(inMs / 10, 5_000);
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(inMs + lateMs, 20), LONGEST_NAP_MS));
    // Nothing that a process should live for.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #wake(): void {
    this.#timer = undefined;
    const nowMs = this.nowMs();
    if (this.#isDue(nowMs)) this.refresh(nowMs);
    else this.#plan(nowMs);
  }
}
