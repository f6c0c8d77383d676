import type { Cryptography } from "./cryptography.js";
import { type Decision, internalError } from "./decision.js";
import type { Answer, Document, Fetch } from "./documents.js";
import { CountersignError, type Problem } from "./error.js";
import { type Gate, Verdict } from "./glue/countersign.js";
import { Granted } from "./granted.js";
import { type Instance, main } from "./instance.js";
import { type Host, Pending, type Waiting } from "./host.js";
import { LruCache } from "./lru-cache.js";
import type { Notes } from "./notes.js";
import { Questions } from "./questions.js";
import type { Asked } from "./request.js";
import { NO_ANSWER, part, supply } from "./slices.js";
import { type Facts, NO_FACTS, readDecision, readFacts, type Step, type Supplied } from "./written.js";

/** Fewer than the module remembers, so that the module knows every number that is used. */
const REQUIREMENTS = 1_000;
const REQUIREMENTS_CHARACTERS = 1 << 20;

/** More than a request has tokens: each round verifies the signature of one, or its proof. */
export const VERIFIED = 16;

/** An accepted document, to supply it again to a restarted module or to another policy. */
export interface Accepted {
  readonly document: Document;
  readonly answer: Answer;
  readonly atMs: number;
}

/** A gate in the module. It is opened again when the module's instance was replaced. It throws only for errors in the configuration. */
export class ModuleGate {
  reads: ReadonlySet<string> = new Set();
  readonly #instance: Instance;
  readonly #policy: Uint8Array;
  readonly #host: Host;
  /** The documents to supply to a restarted module. */
  readonly #known: () => Iterable<Accepted>;
  /** Called with each document that a restarted module has not read in the first slice. */
  readonly #unfinished: (accepted: Accepted) => void;
  #gate: Gate | undefined;
  #incarnation = -1;
  #closed = false;
  #granted: Granted | undefined;
  #questions: Questions | undefined;
  #requirements = new LruCache<number>(0, 0);
  #digest: string | undefined;
  #isReady = false;

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, host: Host, known: () => Iterable<Accepted>, unfinished: (accepted: Accepted) => void) {
    this.#instance = host.instance ?? main;
    this.#policy = policy;
    this.#host = host;
    this.#known = known;
    this.#unfinished = unfinished;
    this.#call(() => undefined);
    if (this.#gate === undefined) throw CountersignError.of("policy", "internal_error", internalError.message);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The number of the instance that has this gate. Another instance does not know a document that was partly read. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Whether the policy has `path_case: exact`. */
  isCaseExact(): boolean {
    try {
      return JSON.parse(new TextDecoder().decode(this.#policy)).path_case === "exact";
    } catch {
      return false;
    }
  }

  /** A decision, or what it waits for. `notes` keeps what becomes of its proofs. */
  check(asked: Asked, nowMs: number, notes?: Notes): Decision | Waiting {
    return this.#decide(nowMs, notes, (gate) => {
      const length = this.#instance.writeRequest(gate, asked);
      return () => gate.check(length, nowMs);
    });
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, proven: boolean, nowMs: number): Decision | Waiting {
    return this.#decide(nowMs, undefined, (gate) => {
      const number = requirement === undefined ? 0 : this.#prepare(gate, requirement);
      const length = this.#instance.writeToken(gate, token);
      return () => gate.checkToken(length, number, proven, nowMs);
    });
  }

  explain(asked: Asked, nowMs: number): Step[] {
    const explain = (): Step[] => JSON.parse(this.#call((gate) => gate.explain(this.#instance.writeRequest(gate, asked), nowMs)) ?? "[]");
    const steps = explain();
    if (!steps.some(({ check, verdict }) => check === "signature" && verdict === "wait")) return steps;
    // An explanation asks for no signature. After a check, the module remembers a valid one.
    this.check(asked, nowMs);
    return explain();
  }

  /** Facts about the last check. Call it before anything else runs. Without `subjectKey` there is no reference to the subject; `effects` are for a comparison. */
  facts(subjectKey: Uint8Array, effects: boolean): Facts {
    const facts = this.#call((gate) => gate.lastEvent(subjectKey, effects));
    return facts === undefined ? NO_FACTS : readFacts(facts);
  }

  /** The SHA-256 of the policy in its canonical form, in hexadecimal. */
  get digest(): string {
    this.#digest ??= this.#call(() => JSON.parse(this.#instance.glue.policyDigest(this.#policy)).digest);
    return this.#digest ?? "";
  }

  /** Whether every document was accepted once that the policy does not allow to be missing at the start. It stays true. */
  get isReady(): boolean {
    this.#isReady ||= this.#call((gate) => gate.ready()) ?? false;
    return this.#isReady;
  }

  /** JSON. */
  status(nowMs: number): string {
    return this.#call((gate) => gate.status(nowMs)) ?? "[]";
  }

  due(nowMs: number): Fetch[] {
    return JSON.parse(this.#call((gate) => gate.due(nowMs)) ?? "[]");
  }

  /** Milliseconds from now until a document is due; `undefined` if none will be. */
  nextDue(nowMs: number): number | undefined {
    const left = this.#call((gate) => gate.nextDue(nowMs) ?? Infinity) ?? 0;
    return left === Infinity ? undefined : left;
  }

  /** The first slice of a document; `undefined` after a fault. */
  supply(document: Document, answer: Answer | undefined, atMs: number): Supplied | undefined {
    return this.#call((gate) => supply(gate, document, answer, atMs));
  }

  /** The next slice, of this number from 1 on; `undefined` after a fault. */
  resume({ source }: Document, answer: Answer | undefined, slice: number, atMs: number): Supplied | undefined {
    return this.#call((gate) => JSON.parse(gate.resume(source, part(answer, slice), atMs)));
  }

  /** The response to a request; `undefined` if there is none. Returns why it cannot be used, or `undefined` if the instance with this number has asked and is gone. */
  respond(ticket: number, answer: Answer | undefined, incarnation: number, atMs: number): Problem[] | undefined {
    const { status, cacheControl, body } = answer ?? NO_ANSWER;
    const problems = this.#call((gate) => (incarnation === this.#incarnation ? (gate.respond(ticket, status, cacheControl, body, atMs) ?? "[]") : undefined));
    return problems === undefined ? undefined : JSON.parse(problems);
  }

  close(): void {
    this.#call((gate) => gate.free());
    this.#closed = true;
    this.#granted = undefined;
    this.#questions = undefined;
  }

  /** `write` writes the input, and returns a function that decides about it. */
  #decide(nowMs: number, notes: Notes | undefined, write: (gate: Gate) => () => Verdict): Decision | Waiting {
    // The clock is invalid, so nothing can be decided.
    if (Number.isNaN(nowMs)) return internalError;
    const decided = this.#call((gate) => {
      const check = write(gate);
      for (let round = 0; round < VERIFIED; round++) {
        const verdict = check();
        if (verdict === Verdict.Allow) return this.#granted!.read(gate);
        const decision = verdict === Verdict.Verify ? this.#questions!.verify(gate) : readDecision(gate.decision());
        if (decision === undefined) continue;
        if (decision instanceof Pending || !("needs" in decision)) return decision;
        if (decision.proofs.length === 0) return decision.needs;
        const entering = this.#questions!.enter(decision.proofs, nowMs, notes);
        if (entering) return entering;
      }
      return internalError;
    });
    return decided ?? internalError;
  }

  /** Reports what a check has asked about, unless the module was restarted meanwhile. */
  #report(incarnation: number, ticket: number, valid?: boolean): void {
    this.#call((gate) => {
      if (incarnation === this.#incarnation) gate.verified(ticket, valid);
    });
  }

  #prepare(gate: Gate, text: string): number {
    let number = this.#requirements.get(text);
    if (number === undefined) {
      const { requirement, problems } = JSON.parse(gate.prepare(utf8.encode(text)));
      if (problems) throw new CountersignError("requirement", problems);
      this.#requirements.set(text, (number = requirement as number));
    }
    return number;
  }

  /** Calls the gate, which it opens again if the instance was replaced. After a fault it replaces the instance and returns `undefined`. */
  #call<T>(work: (gate: Gate) => T): T | undefined {
    if (this.#closed) return undefined;
    try {
      if (this.#incarnation !== this.#instance.incarnation) this.#open();
      return work(this.#gate!);
    } catch (fault) {
      if (fault instanceof CountersignError) throw fault;
      try {
        this.#instance.restart();
      } catch {
        // Perhaps there is no memory: the next call tries again.
      }
      return undefined;
    }
  }

  #open(): void {
    const { cryptography, secrets } = this.#host;
    const gate = new this.#instance.glue.Gate(this.#policy, seed(), wordsOf(cryptography), secrets);
    const problems = gate.problems();
    if (problems !== undefined) throw new CountersignError("policy", JSON.parse(problems));
    // A document that names another one comes before it.
    const known = [...this.#known()].sort((a, b) => Number(b.document.kind === "discovery") - Number(a.document.kind === "discovery"));
    const unfinished = known.filter(({ document, answer, atMs }) => supply(gate, document, answer, atMs).outcome === "unfinished");
    this.reads = new Set(JSON.parse(gate.reads()));
    this.#gate = gate;
    const { incarnation } = this.#instance;
    this.#granted = new Granted(this.#instance);
    this.#questions = new Questions(this.#host, this.#instance, (ticket, valid) => this.#report(incarnation, ticket, valid));
    this.#requirements = new LruCache(REQUIREMENTS, REQUIREMENTS_CHARACTERS);
    this.#incarnation = incarnation;
    unfinished.forEach(this.#unfinished);
  }
}

/** The cryptography as the module reads it. */
function wordsOf(cryptography: Cryptography | undefined): string | undefined {
  return cryptography && [...(cryptography.fips ? ["fips"] : []), ...cryptography.algorithms].join(" ");
}

const utf8 = new TextEncoder();

function seed(): bigint {
  try {
    return crypto.getRandomValues(new BigUint64Array(1))[0]!;
  } catch {
    // A Worker has no randomness before its first request. 0 is safe, but the table of tokens is slower if a client makes tokens collide.
    return 0n;
  }
}
