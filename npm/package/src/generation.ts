import { monotonicMs, nextTurn, pause, wallMs, waitAtMost } from "./clock.js";
import { type Decision, internalError } from "./decision.js";
import { documentEvent } from "./document-event.js";
import { type Answer, answerOf, type Document, type Failed, type Fetch, fetchDocument, type Known, type Need, type Outgoing, sendRequest } from "./documents.js";
import type { Problem } from "./error.js";
import { PendingFetches } from "./pending-fetches.js";
import type { Waiting } from "./host.js";
import { type Accepted, ModuleGate } from "./module-gate.js";
import type { Notes } from "./notes.js";
import type { Asked } from "./request.js";
import type { Settings } from "./settings.js";
import type { WaitUntil } from "./wait-until.js";
import { type DocumentStatus, type Facts, readStatus, type Step, type Supplied } from "./written.js";

/** The result of supplying a document. */
export type SupplyResult = Exclude<Supplied, { outcome: "unfinished" }>;

const FAULT: SupplyResult = { outcome: "refused", problem: { pointer: "", code: "internal_error", message: internalError.message, severity: "error" } };

/** The longest chain of documents that depend on one another (metadata, keys, revocations), and one more. */
const ROUNDS = 4;

/** The longest timer, because the clock of timers stops while the machine is suspended. */
const LONGEST_TIMER_MS = 60_000;

/** How long a request waits for documents that are due, counted from the start of the fetch. */
const CATCH_UP_MS = 1_000;

/** The pause between two readings of an invalid clock. */
const CLOCK_RETRY_MS = 1_000;

/** After so long without a further slice, the reading of a document counts as abandoned. */
const ABANDONED_MS = 10_000;

/** The state of an issuer's introspection. */
interface Introspection {
  readonly uri: string;
  readonly answeredMs: number | null;
  readonly failures: number;
  readonly problems: readonly Problem[];
}

const NO_KEY = new Uint8Array();

/** One policy in force, and its documents. It throws only for errors in the configuration. */
export class Generation {
  readonly #settings: Settings;
  readonly #gate: ModuleGate;
  readonly #accepted = new Map<number, Accepted>();
  /** The problems of the last supplied document, by kind and issuer. */
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #pending: PendingFetches;
  readonly #requests: PendingFetches;
  /** By issuer. */
  readonly #introspections = new Map<string, Introspection>();
  /** The sources whose document is being read, and the time of the last slice. */
  readonly #reading = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time until a document is due, and when it was computed, by both clocks. A document is due as soon as one clock says so. */
  #due = { inMs: 0, wallMs: 0, monotonicMs: 0 };

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, settings: Settings) {
    this.#settings = settings;
    this.#pending = new PendingFetches(settings.shared);
    this.#requests = new PendingFetches(settings.shared);
    this.#gate = new ModuleGate(policy, settings, () => this.#accepted.values(), (accepted) => void this.#resumeReading(accepted));
  }

  get incarnation(): number {
    return this.#gate.incarnation;
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

  /** A decision, or what it waits for. */
  check(asked: Asked, nowMs: number, notes?: Notes): Decision | Waiting {
    return this.#gate.check(asked, nowMs, notes);
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, proven: boolean, nowMs: number): Decision | Waiting {
    return this.#gate.checkToken(token, requirement, proven, nowMs);
  }

  explain(asked: Asked, nowMs: number): Step[] {
    return this.#gate.explain(asked, nowMs);
  }

  /** Facts about the last check. Call it before anything else runs. */
  facts(effects: boolean): Facts {
    return this.#gate.facts(this.#settings.watch?.subjectKey ?? NO_KEY, effects);
  }

  get digest(): string {
    return this.#gate.digest;
  }

  get isReady(): boolean {
    return this.#gate.isReady;
  }

  status(nowMs: number): DocumentStatus[] {
    const introspections = [...this.#introspections].map(([issuer, { answeredMs, ...state }]): DocumentStatus => {
      return { issuer, kind: "introspection", ...state, ageMs: answeredMs === null ? null : nowMs - answeredMs, usable: state.failures === 0, needed: false };
    });
    return [...this.#documents(nowMs), ...introspections];
  }

  /** In the order of their sources. */
  #documents(nowMs: number): (DocumentStatus & Pick<Document, "kind">)[] {
    return readStatus(this.#gate.status(nowMs), (issuer, kind) => this.#problems.get(`${kind} ${issuer}`) ?? []);
  }

  /** The documents in force. */
  documents(): Known[] {
    return [...this.#accepted.values()].map(({ document: { source: _, ...document }, answer, atMs }) => ({ ...document, answer, atMs }));
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

  /** Takes the response to a request of the module's instance with this number. */
  respond({ ticket, issuer, uri }: Outgoing, answer: Answer | undefined, incarnation: number, atMs: number): Problem[] {
    const problems = this.#gate.respond(ticket, answer, incarnation, atMs);
    if (problems === undefined) return [];
    const { answeredMs = null, failures = 0 } = this.#introspections.get(issuer) ?? {};
    this.#introspections.set(issuer, problems.length === 0 ? { uri, answeredMs: atMs, failures: 0, problems } : { uri, answeredMs, failures: failures + 1, problems });
    return problems;
  }

  /** Fetches a document and supplies it, or sends a request and reports the response, also to `notes`; or joins the same in progress until `untilMs`. */
  start(need: Need, waitUntil?: WaitUntil, untilMs = Infinity, notes?: Notes): Promise<void> {
    const { incarnation } = this.#gate;
    const isRequest = "ticket" in need;
    // A restarted module uses the same numbers again.
    const [pending, address] = isRequest ? [this.#requests, { source: need.ticket, uri: `${incarnation} ${need.uri}` }] : [this.#pending, need];
    const inProgress = pending.inProgress(address);
    const { fetch: fetcher, fetchInit } = this.#settings;
    const started = inProgress ?? pending.start(address, need.timeout_ms, async (fetch) => {
      if (isRequest) this.respond(need, (fetch.answer = answerOf(await sendRequest(need, fetcher, fetchInit))), incarnation, this.nowMs());
      else await this.#fetched(need, await fetchDocument(need, fetcher, fetchInit));
    });
    if (!inProgress) waitUntil?.(started.work);
    const ended = inProgress ? pending.join(inProgress, untilMs) : started.work;
    if (!isRequest || !notes) return ended;
    return ended.then(() => started.answer && notes.answered(need, started.answer));
  }

  async #fetched(document: Document, fetched: Answer | Failed): Promise<void> {
    const supplied = await this.supply(document, answerOf(fetched), this.nowMs());
    const { watch, mode = "enforced" } = this.#settings;
    if (!watch?.documents || supplied.outcome === "outdated") return;
    const { ageMs } = this.#documents(this.nowMs())[document.source] ?? {};
    watch.fetched(documentEvent(document, fetched, supplied, { ageMs, mode, policyDigest: this.digest }));
  }

  /** Starts to fetch the documents that are due, without waiting for them. */
  refresh(nowMs: number, waitUntil?: WaitUntil): void {
    if (!this.#isDue(nowMs)) return;
    for (const fetch of this.due(nowMs)) void this.start(fetch, waitUntil);
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

  /** Fetches the documents that are due until none is. A document that was fetched in the same way for another policy is taken from `known`, with its age. */
  async preload(known: readonly Known[] = []): Promise<void> {
    for (let round = 0; round < ROUNDS && !this.#gate.closed; round++) {
      const due = this.due(this.nowMs());
      const fetches = this.#pending.all().map((fetch) => this.#pending.join(fetch, Infinity));
      await Promise.all([...fetches, ...due.map((fetch) => this.#takeOver(fetch, known) ?? this.start(fetch))]);
      if (due.length === 0) break;
    }
  }

  /** `undefined` if nobody has the document. With other headers it can belong to another customer of the server. */
  #takeOver(fetch: Fetch, known: readonly Known[]): Promise<unknown> | undefined {
    // Only once: this policy may refuse a document that the other one has accepted.
    if (this.#problems.has(`${fetch.kind} ${fetch.issuer}`)) return undefined;
    const found = known.find((one) => one.kind === fetch.kind && one.uri === fetch.uri && isSame(one.headers ?? [], fetch.headers));
    return found && this.supply(fetch, found.answer, Math.min(found.atMs, this.nowMs()));
  }

  /** Supplies documents that were fetched elsewhere, and fetches none. A document that names another one is supplied a round before it. */
  async adopt(known: readonly Known[]): Promise<void> {
    for (let round = 0; round < ROUNDS && known.length > 0; round++) {
      const nowMs = this.nowMs();
      let adopted = 0;
      for (const [source, { issuer, kind, uri, ageMs }] of this.#documents(nowMs).entries()) {
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

/** Whether two fetches send the same headers. */
function isSame(one: Fetch["headers"], other: Fetch["headers"]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
