import { type Decision, type Grant, internalError } from "./decision.js";
import type { Answer, Document, Fetch } from "./documents.js";
import { CountersignError } from "./error.js";
import * as glue from "./glue/countersign.js";
import { ofRequest, readGrant } from "./grant.js";
import * as instance from "./instance.js";
import { GrantCache } from "./grant-cache.js";
import { LruCache } from "./lru-cache.js";
import type { Principal } from "./principal.js";
import { readChanges, readDecision, type Step, type Supplied } from "./written.js";

/** The limits of the cache of grants: as many as the module remembers tokens, and their characters. */
const GRANTS = 1024;
const GRANTS_CHARACTERS = 4 << 20;

/** Fewer than the module remembers, so that the module knows every number that is used. */
const REQUIREMENTS = 1_000;
const REQUIREMENTS_CHARACTERS = 1 << 20;

/** An accepted document, to supply it again to a restarted module or to another policy. */
export interface Accepted {
  readonly document: Document;
  readonly answer: Answer;
  readonly atMs: number;
}

/** A gate in the module. It is opened again when the module's instance was replaced. It throws only for errors in the configuration. */
export class ModuleGate {
  reads: ReadonlySet<string> = new Set();
  readonly #policy: Uint8Array;
  /** The documents to supply to a restarted module. */
  readonly #known: () => Iterable<Accepted>;
  /** Called with each document that a restarted module has not read in the first slice. */
  readonly #unfinished: (accepted: Accepted) => void;
  #gate: glue.Gate | undefined;
  #incarnation = -1;
  #closed = false;
  #grants = new GrantCache(GRANTS, GRANTS_CHARACTERS);
  /** Of the principals beside the user. They are kept apart: a token that is both has one number, but only the user's grant has its headers. */
  #others = new GrantCache(GRANTS, GRANTS_CHARACTERS);
  #requirements = new LruCache<number>(0, 0);

  /** @throws CountersignError with every problem of the policy. */
  constructor(policy: Uint8Array, known: () => Iterable<Accepted>, unfinished: (accepted: Accepted) => void) {
    this.#policy = policy;
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

  /** A decision, or the documents that it waits for. */
  check(strings: readonly string[], nowMs: number): Decision | Fetch[] {
    return this.#decide(nowMs, (gate) => gate.check(instance.writeRequest(gate, strings), nowMs));
  }

  /** @throws CountersignError with every problem of the requirement. */
  checkToken(token: string, requirement: string | undefined, nowMs: number): Decision | Fetch[] {
    return this.#decide(nowMs, (gate) => {
      const number = requirement === undefined ? 0 : this.#prepare(gate, requirement);
      return gate.checkToken(instance.writeToken(gate, token), number, nowMs);
    });
  }

  explain(strings: readonly string[], nowMs: number): Step[] {
    const text = this.#call((gate) => gate.explain(instance.writeRequest(gate, strings), nowMs));
    return text === undefined ? [] : JSON.parse(text);
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

  close(): void {
    this.#call((gate) => gate.free());
    this.#closed = true;
  }

  #decide(nowMs: number, check: (gate: glue.Gate) => glue.Verdict): Decision | Fetch[] {
    // The clock is invalid, so nothing can be decided.
    if (Number.isNaN(nowMs)) return internalError;
    const decided = this.#call((gate) => {
      if (check(gate) !== glue.Verdict.Allow) return readDecision(gate.decision());
      const grant = readThrough(this.#grants, gate, gate.granted());
      const others = gate.others();
      const hasChanges = gate.hasChanges();
      if (others === undefined && !hasChanges) return grant;
      const principals = others === undefined ? undefined : this.#readOthers(gate, others);
      return ofRequest(grant, principals, hasChanges ? readChanges(gate.changes()) : undefined);
    });
    return decided ?? internalError;
  }

  #readOthers(gate: glue.Gate, written: string): Grant["principals"] {
    // Without a prototype, no name of a policy is special.
    const principals: { [name: string]: Principal } = Object.create(null);
    for (const { name, grant } of JSON.parse(written) as { name: string; grant: number }[]) {
      const { principal } = readThrough(this.#others, gate, grant);
      if (principal === null) throw new Error("a grant has no principal");
      principals[name] = principal;
    }
    return Object.freeze(principals);
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

  /** Calls the gate, which it opens again if the instance was replaced. After a fault it replaces the instance and returns `undefined`. */
  #call<T>(work: (gate: glue.Gate) => T): T | undefined {
    if (this.#closed) return undefined;
    try {
      if (this.#incarnation !== instance.incarnation) this.#open();
      return work(this.#gate!);
    } catch (fault) {
      if (fault instanceof CountersignError) throw fault;
      try {
        instance.restart();
      } catch {
        // Perhaps there is no memory: the next call tries again.
      }
      return undefined;
    }
  }

  #open(): void {
    const gate = new glue.Gate(this.#policy, seed());
    const problems = gate.problems();
    if (problems !== undefined) throw new CountersignError("policy", JSON.parse(problems));
    // A document that names another one comes before it.
    const known = [...this.#known()].sort((a, b) => Number(b.document.kind === "discovery") - Number(a.document.kind === "discovery"));
    const unfinished = known.filter(({ document, answer, atMs }) => supply(gate, document, answer, atMs).outcome === "unfinished");
    this.reads = new Set(JSON.parse(gate.reads()));
    this.#gate = gate;
    this.#grants = new GrantCache(GRANTS, GRANTS_CHARACTERS);
    this.#others = new GrantCache(GRANTS, GRANTS_CHARACTERS);
    this.#requirements = new LruCache(REQUIREMENTS, REQUIREMENTS_CHARACTERS);
    this.#incarnation = instance.incarnation;
    unfinished.forEach(this.#unfinished);
  }
}

/** A grant of the last check, from the cache or from the module. */
function readThrough(cache: GrantCache, gate: glue.Gate, number: number): Grant {
  const known = number === 0 ? undefined : cache.get(number);
  if (known) return known;
  const at = gate.grant(number);
  if (at === 0) throw new Error("the module has no grant of this number");
  const { grant, characters } = readGrant(at);
  if (number !== 0) cache.set(number, grant, characters);
  return grant;
}

const utf8 = new TextEncoder();

function supply(gate: glue.Gate, { source, uri }: Document, answer: Answer | undefined, atMs: number): Supplied {
  if (!answer) return JSON.parse(gate.supplyFailure(source, uri, atMs));
  const { status, cacheControl, body } = answer;
  return JSON.parse(gate.supply(source, uri, status, cacheControl, body.length, part(answer, 0), atMs));
}

/** The number of bytes that one call copies into the module, in a fraction of a millisecond. */
const PART_BYTES = 1024 * 1024;

function part(answer: Answer | undefined, slice: number): Uint8Array {
  return answer?.body.subarray(slice * PART_BYTES, (slice + 1) * PART_BYTES) ?? new Uint8Array();
}

function seed(): bigint {
  try {
    return crypto.getRandomValues(new BigUint64Array(1))[0]!;
  } catch {
    // A Worker has no randomness before its first request. 0 is safe, but the table of tokens is slower if a client makes tokens collide.
    return 0n;
  }
}
