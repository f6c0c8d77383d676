import { CountersignError, type Problem } from "./error.js";
import { type Decision, type Grant, internalError } from "./decision.js";
import { type Answer, type Fetch, fetchDocument, type Fetcher } from "./documents.js";
import * as glue from "./glue/countersign.js";
import { readGrant } from "./grant.js";
import * as instance from "./instance.js";
import { type DocumentStatus, readDecision, readStatus, type Step } from "./written.js";

/** Grants kept by number: as many as tokens are remembered. */
const KEPT = 1024;

/** As many documents as may wait for one another: metadata, keys, revocations, and one more. */
export const ROUNDS = 4;

/** The longest nap between two looks at the clock, which may stand still with the machine. */
const LONGEST_NAP_MS = 60_000;

/** What a runtime allows. */
export interface Settings {
  readonly fetch: Fetcher;
  readonly fetchInit: RequestInit;
  /** Whether one request may wait for what another fetches, and timers may run between them. */
  readonly shared: boolean;
  readonly now: () => number;
}

interface Supplied {
  readonly fetch: Fetch;
  readonly answer: Answer;
  readonly atMs: number;
}

/** One policy in force: a gate in the module that outlives the module's instance. Never throws but for mistakes in the configuration. */
export class Generation {
  reads: ReadonlySet<string> = new Set();
  readonly #policy: Uint8Array;
  readonly #settings: Settings;
  #gate: glue.Gate | undefined;
  #incarnation = -1;
  #closed = false;
  #kept: ({ number: number; grant: Grant } | undefined)[] = [];
  #requirements = new Map<string, number>();
  /** What was accepted, so that a fresh instance knows it too. */
  readonly #supplied = new Map<number, Supplied>();
  /** What was not used of the last document that came, by issuer and kind. */
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #flights = new Map<number, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When something is due, in milliseconds since the epoch. */
  #nextDue = 0;

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, settings: Settings) {
    this.#policy = policy;
    this.#settings = settings;
    this.#ask(() => undefined);
    if (this.#gate === undefined) throw CountersignError.of("policy", "internal_error", internalError.message);
  }

  /** A decision, or the documents that it waits for. */
  check(strings: readonly string[], nowMs: number): Decision | Fetch[] {
    return this.#decide((gate) => gate.check(instance.writeRequest(gate, strings), nowMs));
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, nowMs: number): Decision | Fetch[] {
    return this.#decide((gate) => {
      const number = requirement === undefined ? 0 : this.#prepare(gate, requirement);
      return gate.checkToken(instance.writeToken(gate, token), number, nowMs);
    });
  }

  explain(strings: readonly string[], nowMs: number): Step[] {
    const text = this.#ask((gate) => gate.explain(instance.writeRequest(gate, strings), nowMs));
    return text === undefined ? [] : JSON.parse(text);
  }

  status(nowMs: number): DocumentStatus[] {
    const text = this.#ask((gate) => gate.status(nowMs));
    return text === undefined ? [] : readStatus(text, (issuer, kind) => this.#problems.get(`${kind} ${issuer}`) ?? []);
  }

  /** What to fetch now. It counts as started. */
  due(nowMs: number): Fetch[] {
    const text = this.#ask((gate) => gate.due(nowMs));
    this.#plan();
    return text === undefined ? [] : JSON.parse(text);
  }

  /** A fetch ended. What the gate does not use of it, and why: an error is about the whole. */
  supply(fetch: Fetch, answer: Answer | undefined, atMs: number): readonly Problem[] {
    const text = this.#ask((gate) => supply(gate, fetch.source, answer, atMs));
    this.#plan();
    if (text === undefined) return CountersignError.of("document", "internal_error", internalError.message).problems;
    const { skipped, problem } = JSON.parse(text);
    if (skipped && answer) this.#supplied.set(fetch.source, { fetch, answer, atMs });
    const problems: readonly Problem[] = skipped ?? [problem];
    this.#problems.set(`${fetch.kind} ${fetch.issuer}`, problems);
    return problems;
  }

  /** Fetches a document and supplies it, or joins those who do. */
  fly(fetch: Fetch): Promise<void> {
    const { shared, fetch: fetcher, fetchInit, now } = this.#settings;
    const underWay = shared ? this.#flights.get(fetch.source) : undefined;
    if (underWay) return underWay;
    const flight = fetchDocument(fetch, fetcher, fetchInit).then((answer) => {
      this.#flights.delete(fetch.source);
      this.supply(fetch, answer, now());
    });
    this.#flights.set(fetch.source, flight);
    return flight;
  }

  /** Fetches what is due, if anything; `undefined` if nothing. */
  refresh(): Promise<void> | undefined {
    const nowMs = this.#settings.now();
    if (nowMs < this.#nextDue || this.#closed) return undefined;
    const due = this.due(nowMs);
    return due.length > 0 ? Promise.all(due.map((fetch) => this.fly(fetch))).then(() => undefined) : undefined;
  }

  /** Fetches everything that is due, or takes it over from `old`, until nothing more is. */
  async preload(old?: Generation): Promise<void> {
    const nowMs = this.#settings.now();
    for (let round = 0; round < ROUNDS; round++) {
      const due = this.due(nowMs);
      const flights = [...(this.#settings.shared ? this.#flights.values() : [])];
      for (const fetch of due) {
        const known = old && old.#accepted(fetch);
        if (known) this.supply(fetch, known.answer, known.atMs);
        else flights.push(this.fly(fetch));
      }
      await Promise.all(flights);
      if (due.length === 0) break;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#ask((gate) => gate.free());
    this.#closed = true;
  }

  #accepted({ kind, uri }: Fetch): Supplied | undefined {
    return [...this.#supplied.values()].find(({ fetch }) => fetch.kind === kind && fetch.uri === uri);
  }

  #decide(check: (gate: glue.Gate) => glue.Verdict): Decision | Fetch[] {
    const decided = this.#ask((gate) => {
      if (check(gate) !== glue.Verdict.Allow) return readDecision(gate.decision());
      const number = gate.granted();
      const kept = this.#kept[number % KEPT];
      if (number !== 0 && kept?.number === number) return kept.grant;
      const grant = readGrant(gate.grant());
      if (number !== 0) this.#kept[number % KEPT] = { number, grant };
      return grant;
    });
    return decided ?? internalError;
  }

  #prepare(gate: glue.Gate, text: string): number {
    let number = this.#requirements.get(text);
    if (number === undefined) {
      const { requirement, problems } = JSON.parse(gate.prepare(utf8.encode(text)));
      if (problems) throw new CountersignError("requirement", problems);
      this.#requirements.set(text, (number = requirement as number));
    }
    return number;
  }

  /** Asks the gate, in a fresh instance if the last one is dead. `undefined` after a fault: the instance is thrown away then. */
  #ask<T>(work: (gate: glue.Gate) => T): T | undefined {
    if (this.#closed) return undefined;
    try {
      if (this.#incarnation !== instance.incarnation) this.#open();
      return work(this.#gate!);
    } catch (fault) {
      if (fault instanceof CountersignError) throw fault;
      try {
        instance.restart();
      } catch {
        // No memory, perhaps: the next one to ask tries again.
      }
      return undefined;
    }
  }

  #open(): void {
    const gate = new glue.Gate(this.#policy, seed());
    const problems = gate.problems();
    if (problems !== undefined) throw new CountersignError("policy", JSON.parse(problems));
    // A document that names others comes before them.
    const supplied = [...this.#supplied.values()].sort((a, b) => Number(b.fetch.kind === "discovery") - Number(a.fetch.kind === "discovery"));
    for (const { fetch, answer, atMs } of supplied) supply(gate, fetch.source, answer, atMs);
    this.reads = new Set(JSON.parse(gate.reads()));
    this.#gate = gate;
    this.#kept = new Array(KEPT);
    this.#requirements = new Map();
    this.#incarnation = instance.incarnation;
  }

  /** Notes when something is due, and where timers may run, wakes up for it. */
  #plan(): void {
    this.#nextDue = this.#ask((gate) => gate.nextDue() ?? Infinity) ?? 0;
    if (!this.#settings.shared || this.#closed || this.#nextDue === Infinity) return;
    clearTimeout(this.#timer);
    const left = Math.max(0, this.#nextDue - this.#settings.now());
    // A little late, so that not all of a fleet comes at once.
    const late = Math.random() * Math.min(left / 10, 5_000);
    this.#timer = setTimeout(() => {
      if (!this.refresh()) this.#plan();
    }, Math.min(Math.max(left + late, 20), LONGEST_NAP_MS));
    // Nothing that a process should live for.
    (this.#timer as { unref?: () => void }).unref?.();
  }
}

const utf8 = new TextEncoder();

function supply(gate: glue.Gate, source: number, answer: Answer | undefined, atMs: number): string {
  return answer ? gate.supply(source, answer.status, answer.cacheControl, answer.body, atMs) : gate.supplyFailure(source, atMs);
}

function seed(): bigint {
  try {
    return crypto.getRandomValues(new BigUint64Array(1))[0]!;
  } catch {
    // A Worker has no randomness before its first request: 0 is safe, if a little slower under attack.
    return 0n;
  }
}
