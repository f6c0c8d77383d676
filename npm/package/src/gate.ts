import { MODULE, type Verifier } from "./cryptography.js";
import { type Answer, type Decision, internalError, stillWaiting } from "./decision.js";
import { Deciding } from "./deciding.js";
import type { Generation } from "./generation.js";
import { Pending } from "./host.js";
import { InForce } from "./in-force.js";
import { inspect } from "./inspect.js";
import type { Notes } from "./notes.js";
import type { Context, Options } from "./options.js";
import type { AnyPolicy, Requirement } from "./policies.js";
import type { PolicySource } from "./policy-source.js";
import { asked, type Asked, copied, type Head } from "./request.js";
import type { Candidate } from "./shadow.js";
import type { Settings } from "./settings.js";
import type { GateStatus } from "./status.js";
import { Told } from "./told.js";
import { safeWaitUntil } from "./wait-until.js";
import { type GateDocument, toDocuments } from "./stored.js";
import type { Inspection, Step } from "./written.js";

/** Decides requests by a policy, and fetches the documents that it needs. Checks never throw, whatever the request is. */
export class Gate {
  readonly #settings: Settings;
  readonly #inForce: InForce;
  readonly #deciding: Deciding;
  readonly #source: PolicySource | undefined;
  readonly #told: Told;

  /** @internal */
  constructor(generation: Generation, settings: Settings, options: Options, source?: PolicySource) {
    this.#inForce = new InForce(generation, settings);
    this.#settings = settings;
    this.#source = source;
    this.#told = new Told(settings);
    this.#deciding = new Deciding(this.#inForce, settings, options, source);
    source?.follow((policy, before) => this.#reload(policy, before));
  }

  /** Decides a request. If the decision needs documents, it waits for them, within bounds. It never reads the body. */
  check(request: Request | Head, context: Context = {}): Promise<Decision> {
    return this.#check(request, context, "enforced");
  }

  /** @internal {@link check}, for an adapter that enforces nothing: it uses up no proof. */
  observe(request: Request | Head, context: Context = {}): Promise<Decision> {
    return this.#check(request, context, "observed");
  }

  #check(request: Request | Head, context: Context, mode: "enforced" | "observed"): Promise<Decision> {
    const notes = this.#told.notes(mode);
    // The candidate may read other headers.
    const given = this.#told.shadow ? copied(request) : request;
    let reader: Generation | undefined;
    let read: Asked | undefined;
    const decided = this.#deciding.decide(
      (generation, nowMs) => {
        // Read only once: a check that waits is repeated, but some headers can be iterated only once.
        if (read === undefined || reader !== generation) read = asked(given, (reader = generation).reads);
        return generation.check(read, nowMs, notes);
      },
      context,
      notes,
    );
    return notes ? decided.then((decision) => this.#told.tell(decision, notes, mode, request, given, safeWaitUntil(context))) : decided;
  }

  /** {@link check} without waiting. If a document is missing, it denies with 503 `keys_unavailable` (or `revocations_unavailable`) and, in runtimes that do work between requests, fetches the document. */
  checkSync(request: Request | Head): Decision {
    const notes = this.#told.notes("enforced");
    const given = this.#told.shadow ? copied(request) : request;
    const decision = this.#checkOnce(given, notes);
    return notes ? this.#told.tell(decision, notes, "enforced", request, given) : decision;
  }

  #checkOnce(request: Request | Head, notes?: Notes): Decision {
    const { generation } = this.#inForce;
    const decision = generation.check(asked(request, generation.reads), generation.nowMs(), notes);
    notes?.take(generation);
    // Neither asynchronous cryptography nor a store can be waited for.
    if (decision instanceof Pending) return decision.denial;
    if (!Array.isArray(decision)) return decision;
    if (this.#settings.shared) for (const need of decision) void generation.start(need);
    return stillWaiting(decision);
  }

  /**
   * Decides a token without an HTTP request, like {@link check}. A token that is bound to its sender is denied, because without a request nobody proves to be that.
   * @throws CountersignError with every problem of the requirement.
   */
  verify(token: string, requirement?: Requirement, context: Context = {}): Promise<Exclude<Decision, Answer>> {
    return this.#verify(token, requirement, false, context);
  }

  /**
   * A further check of a request that this gate has allowed with this very token, in a handler behind it: {@link verify}, but a token that is bound to its sender
   * passes, because the request has proven that. For every other token, `verify` is the right method.
   * @throws CountersignError with every problem of the requirement.
   */
  verifyAgain(token: string, requirement?: Requirement, context: Context = {}): Promise<Exclude<Decision, Answer>> {
    return this.#verify(token, requirement, true, context);
  }

  async #verify(token: string, requirement: Requirement | undefined, proven: boolean, context: Context): Promise<Exclude<Decision, Answer>> {
    const required = requirement === undefined ? undefined : JSON.stringify(requirement);
    const written = typeof token === "string" && token.length <= LONGEST_TOKEN ? token : "?";
    const notes = this.#told.notesOfToken();
    const decision = await this.#deciding.decide((generation, nowMs) => generation.checkToken(written, required, proven, nowMs), context, notes);
    if (notes) this.#told.tell(decision, notes, "enforced");
    // Without a request, the gate answers nothing itself.
    return decision.allow || decision.code !== null ? decision : internalError;
  }

  /** Decodes a token without verifying it. Never use the result as a decision. */
  inspect(token: string): Inspection {
    return inspect(token);
  }

  /** Lists every check in order, with its details, for debugging. It shows values of claims: give it only to people who may see them. It fetches nothing. */
  explain(request: Request | Head): Step[] {
    const { generation } = this.#inForce;
    return generation.explain(asked(request, generation.reads), generation.nowMs());
  }

  /**
   * Puts a new policy in force. The old one stays in force until the new one is open and the fetches of its documents have ended. Documents from the same
   * addresses are reused. After several calls the policy of the last call is in force.
   * @throws CountersignError with every problem of the policy, or if the gate is closed. The old policy then stays in force.
   */
  reload(policy: AnyPolicy): Promise<void> {
    return this.#reload(policy);
  }

  async #reload(policy: AnyPolicy, before?: () => void): Promise<void> {
    // What was counted of the candidate was about the rules of the old policy.
    if (await this.#inForce.replace(policy, before)) this.#told.shadow?.countAnew();
  }

  /**
   * Puts another candidate beside the policy in force; `null` for none. Its counts begin anew.
   * @throws CountersignError with every problem of its policy. The old candidate then stays.
   */
  async reloadShadow(candidate: Candidate | null): Promise<void> {
    const next = await candidate?.open(this.#settings);
    await next?.adopt([...(this.#told.shadow?.documents() ?? []), ...this.#inForce.generation.documents()]);
    try {
      this.#inForce.assertOpen();
    } catch (closed) {
      next?.close();
      throw closed;
    }
    this.#told.shadow?.close();
    this.#told.shadow = next;
  }

  /**
   * Whether every document was accepted once that the policy does not allow to be missing at the start (`needed_at_start`). It stays `true`. While it is
   * `false`, the call also fetches the documents that are due, in the background or with the context's `waitUntil`.
   */
  ready(context: Context = {}): boolean {
    const waitUntil = safeWaitUntil(context);
    const { generation } = this.#inForce;
    if (generation.isReady) return true;
    if (this.#settings.shared || waitUntil) generation.refresh(generation.nowMs(), waitUntil);
    return false;
  }

  /** Fetches every document that is due. */
  async preload(): Promise<GateStatus> {
    await this.#inForce.generation.preload();
    return this.status();
  }

  /** The documents in force, for {@link Options.documents} of other gates, for example through a build step or a store. */
  documents(): GateDocument[] {
    return toDocuments(this.#inForce.generation.documents());
  }

  /** The state of the policy, of every document and of the candidate, for metrics and people. */
  status(): GateStatus {
    const { generation } = this.#inForce;
    return {
      ready: generation.isReady,
      policyDigest: generation.digest,
      moduleDigest: this.#settings.moduleDigest ?? null,
      source: this.#source?.status ?? null,
      documents: generation.status(generation.nowMs()),
      shadow: this.#told.shadow?.status ?? null,
    };
  }

  /** What verifies signatures: its name and version, and whether it is a validated module in its validated mode (FIPS 140-3). */
  get verifier(): Verifier {
    const { by, name, version, fips } = this.#settings.cryptography ?? MODULE;
    return { by, name, version, fips };
  }

  /** @internal Whether the policy has `path_case: exact`, for adapters of routers that ignore case. */
  isCaseExact(): boolean {
    return this.#inForce.generation.isCaseExact();
  }

  /** Frees the gate's memory. Every later check is denied, even if a reload is in progress. */
  close(): void {
    this.#inForce.close();
    this.#told.shadow?.close();
    this.#source?.close();
  }
}

/** More than every policy allows: a longer token is not copied into the module. */
const LONGEST_TOKEN = 1 << 20;
