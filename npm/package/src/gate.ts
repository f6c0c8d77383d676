import { type Decision, internalError, stillWaiting } from "./decision.js";
import { fetchDocument, type Fetch, type Fetcher } from "./documents.js";
import { CountersignError } from "./error.js";
import { Generation, ROUNDS, type Settings } from "./generation.js";
import { inspect } from "./glue/countersign.js";
import { restart, start } from "./instance.js";
import type { CountersignPolicyVersion1 as Policy } from "./policy.js";
import { type Head, strings } from "./request.js";
import { type DocumentStatus, type Inspection, readInspection, type Step } from "./written.js";

export type { Policy };

/** What a rule of the policy calls `require`. */
export type Requirement = NonNullable<Extract<NonNullable<Policy["rules"]>[number], { require?: unknown }>["require"]>;

export interface Options {
  /** Fetches documents instead of the runtime's `fetch`. Must not follow redirects. */
  readonly fetch?: Fetcher;
  /** How long a check waits for documents, in milliseconds: 6,000. */
  readonly waitMs?: number;
  /** How many checks may wait at once: 1,024. Others are denied with `keys_unavailable`. */
  readonly maxWaiting?: number;
  /** Milliseconds since the epoch: `Date.now`. */
  readonly now?: () => number;
  /** The sealed module, compiled: for runtimes that none of the package's entries fits. */
  readonly module?: WebAssembly.Module;
}

/** Of the request that is being handled, where the runtime has such a thing. */
export interface Context {
  /** Lets a refresh of documents outlive the request. Without it the request waits for it, where no work may be done between requests. */
  waitUntil?(work: Promise<unknown>): void;
}

/** What a runtime brings. */
export interface Platform {
  readonly module: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  readonly shared: boolean;
  readonly fetchInit: RequestInit;
}

const LARGEST_POLICY_BYTES = 16 << 20;

/**
 * Opens a policy: an object, JSON, or the URL of JSON. Fetches nothing else before a check or {@link Gate.preload} needs it.
 * @throws CountersignError with every problem of the policy.
 */
export type CreateGate = (policy: Policy | string | URL, options?: Options) => Promise<Gate>;

export function creator(platform: Platform): CreateGate {
  return (policy, options = {}) => create(platform, policy, options);
}

async function create({ module, fetchInit, shared }: Platform, policy: Policy | string | URL, options: Options): Promise<Gate> {
  const settings: Settings = {
    // Looked up when it is called: frameworks replace it.
    fetch: options.fetch ?? ((uri, init) => fetch(uri, init)),
    fetchInit,
    shared,
    now: options.now ?? Date.now,
  };
  await start(options.module ?? (await module()));
  const generation = new Generation(await bytesOf(policy, settings), settings);
  return new Gate(generation, settings, options);
}

/** Decides requests by a policy, and fetches the documents that this takes. Checks never throw, whatever the request. */
export class Gate {
  readonly #settings: Settings;
  readonly #waitMs: number;
  readonly #maxWaiting: number;
  #generation: Generation;
  #waiting = 0;

  /** @internal */
  constructor(generation: Generation, settings: Settings, { waitMs = 6_000, maxWaiting = 1_024 }: Options) {
    this.#generation = generation;
    this.#settings = settings;
    this.#waitMs = waitMs;
    this.#maxWaiting = maxWaiting;
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
    const decision = generation.check(strings(request, generation.reads), this.#settings.now());
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
    return generation.explain(strings(request, generation.reads), this.#settings.now());
  }

  /**
   * Puts another policy in force. The old one stays until the new one is open and its documents were fetched, or could not be; documents from the same addresses are taken over.
   * @throws CountersignError with every problem of the policy: nothing has changed then.
   */
  async reload(policy: Policy | string | URL): Promise<void> {
    const generation = new Generation(await bytesOf(policy, this.#settings), this.#settings);
    const old = this.#generation;
    await generation.preload(old);
    this.#generation = generation;
    old.close();
  }

  /** Fetches every document that is due. */
  async preload(): Promise<readonly DocumentStatus[]> {
    await this.#generation.preload();
    return this.status();
  }

  /** The state of every document, for readiness probes and metrics. */
  status(): readonly DocumentStatus[] {
    return this.#generation.status(this.#settings.now());
  }

  /** Frees the gate's memory. It denies everything from now on. */
  close(): void {
    this.#generation.close();
  }

  async #decide(ask: (generation: Generation, nowMs: number) => Decision | Fetch[], context: Context): Promise<Decision> {
    const { now, shared } = this.#settings;
    let untilMs: number | undefined;
    let denial = internalError;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const generation = this.#generation;
        const decision = ask(generation, now());
        if (!Array.isArray(decision)) {
          const refresh = generation.refresh();
          if (refresh && context.waitUntil) context.waitUntil(refresh);
          else if (refresh && !shared) await refresh;
          return decision;
        }
        denial = stillWaiting(decision);
        if (untilMs === undefined) {
          if (this.#waiting >= this.#maxWaiting) break;
          this.#waiting++;
          untilMs = now() + this.#waitMs;
        }
        await within(untilMs - now(), Promise.all(decision.map((fetch) => generation.fly(fetch))));
        if (now() >= untilMs) break;
      }
    } finally {
      if (untilMs !== undefined) this.#waiting--;
    }
    return denial;
  }
}

/** Over every limit of a policy: longer ones are not even copied. */
const LONGEST_TOKEN = 1 << 20;

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

async function bytesOf(policy: Policy | string | URL, { fetch, fetchInit }: Settings): Promise<Uint8Array> {
  if (!(policy instanceof URL)) return new TextEncoder().encode(textOf(policy));
  if (policy.protocol === "file:") return readFile(policy);
  const bounds = { uri: policy.href, timeout_ms: 5_000, max_bytes: LARGEST_POLICY_BYTES };
  const answer = await fetchDocument(bounds, fetch, fetchInit);
  if (answer?.status === 200) return answer.body;
  throw CountersignError.of("policy", "policy_unavailable", answer ? `the server answered ${answer.status}` : "the server did not answer");
}

function textOf(policy: Policy | string): string {
  if (typeof policy === "string") return policy;
  try {
    return JSON.stringify(policy) ?? "";
  } catch {
    throw CountersignError.of("policy", "policy_unavailable", "the object cannot be written as JSON");
  }
}

function readFile(url: URL): Uint8Array {
  type Node = { getBuiltinModule?(name: "fs"): { readFileSync(path: URL): Uint8Array } };
  const files = (globalThis as { process?: Node }).process?.getBuiltinModule?.("fs");
  if (!files) throw CountersignError.of("policy", "policy_unavailable", "this runtime reads no files");
  try {
    return files.readFileSync(url);
  } catch {
    throw CountersignError.of("policy", "policy_unavailable", "the file cannot be read");
  }
}
