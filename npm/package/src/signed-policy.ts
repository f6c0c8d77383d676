// Policies that travel: signed, from an address or a file. docs/signed-policies.md says what the signature is about.

import { monotonicMs } from "./clock.js";
import { fetchWithin } from "./documents.js";
import { CountersignError, type Problem } from "./error.js";
import { fileAt } from "./files.js";
import type { WaitUntil } from "./wait-until.js";
import { HighestVersion } from "./highest-version.js";
import { main } from "./instance.js";
import { PolicySource, type Replace, type SourceHost, type SourceStatus } from "./policy-source.js";

/** Whose policies are put in force. */
export interface Trust {
  /** One or two public keys of Ed25519, as JWKs. */
  readonly keys: readonly { readonly kty: string; readonly crv: string; readonly kid: string; readonly x: string }[];
  /** The name of the policy. */
  readonly policy: string;
  /** Such as `production`. */
  readonly audience: string;
  /** The lowest version. Default: 0. */
  readonly min_version?: number;
}

export interface SignedPolicyOptions {
  /** Where the signed policy is: `https:`, or in Node.js, Bun and Deno also `file:`. It must not redirect. */
  readonly url: string | URL;
  readonly trust: Trust;
  /** Seconds between two readings. Default: 60; at least 5. In Workers and on the edge runtime it is read during requests that pass their `waitUntil`. */
  readonly pollS?: number;
  /** Where the highest version is kept over a restart, in Node.js, Bun and Deno. Without it, an old signed policy that has not expired can be put in force after a restart. */
  readonly stateFile?: string | URL;
  /** Whether plain `http` is allowed. */
  readonly insecureHttp?: boolean;
  /** What converts the signed text to JSON: `fromYaml` for policies in YAML. Default: it is JSON. */
  readonly convert?: (text: string) => string;
  /** Called if a policy cannot be read or put in force; the old one then stays in force. Default: each different error is logged once. */
  readonly onError?: (error: CountersignError) => unknown;
}

const LARGEST_BYTES = 32 << 20;
const TIMEOUT_MS = 10_000;
const LEAST_POLL_S = 5;

/** After so long, a reading counts as lost: the runtime may have ended the request that started it. */
const LOST_MS = 30_000;

interface Opened extends Pick<SourceStatus, "version" | "expiresMs" | "kid"> {
  /** As it was signed. */
  readonly text: string;
}

/** A source of signed policies, in place of a policy: `createGate(signedPolicy({ url, trust }))`. It belongs to one gate. */
export function signedPolicy(options: SignedPolicyOptions): SignedPolicy {
  return new SignedPolicy(options);
}

export class SignedPolicy extends PolicySource {
  readonly #options: SignedPolicyOptions;
  readonly #url: URL;
  readonly #pollMs: number;
  #host: SourceHost | undefined;
  #highest: HighestVersion | undefined;
  #replace: Replace | undefined;
  #inForce: Opened | undefined;
  #etag: string | null = null;
  #succeededMs = 0;
  #error: CountersignError | null = null;
  #readMs = 0;
  #polling: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #logged = "";

  /**
   * @internal
   * @throws CountersignError if the address is not allowed.
   */
  constructor(options: SignedPolicyOptions) {
    super();
    this.#options = options;
    this.#url = new URL(options.url);
    this.#pollMs = Math.max(options.pollS ?? 60, LEAST_POLL_S) * 1_000;
    const allowed = options.insecureHttp ? ["https:", "file:", "http:"] : ["https:", "file:"];
    if (!allowed.includes(this.#url.protocol)) throw unavailable(`\`${this.#url.protocol}\` is not allowed`);
  }

  /** @internal */
  async open(host: SourceHost): Promise<string> {
    if (this.#replace) throw unavailable("the source belongs to another gate");
    this.#host = host;
    // Of an earlier attempt whose policy was refused.
    this.#etag = null;
    this.#highest = new HighestVersion(this.#options.trust.min_version ?? 0, this.#options.stateFile);
    const opened = await this.#read();
    if (!opened) throw unavailable("the server answered 304");
    this.#inForce = opened;
    return this.#json(opened);
  }

  /** @internal */
  follow(replace: Replace): void {
    this.#highest!.raise(this.#inForce!.version);
    this.#succeed();
    this.#replace = replace;
    if (!this.#host?.timers) return;
    this.#timer = setInterval(() => void this.poll(), this.#pollMs);
    // The timer must not keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** @internal */
  refresh(waitUntil?: WaitUntil): void {
    const sinceMs = monotonicMs() - this.#readMs;
    if (this.#timer !== undefined || sinceMs < this.#pollMs || (this.#polling && sinceMs < LOST_MS)) return;
    if (!this.#host?.shared && !waitUntil) return;
    this.#polling = undefined;
    const work = this.poll();
    waitUntil?.(work);
  }

  /** @internal */
  close(): void {
    clearInterval(this.#timer);
    this.#replace = undefined;
  }

  /** Reads now, and puts a new policy in force. Returns whether it has; errors are told to `onError`. */
  poll(): Promise<boolean> {
    this.#polling ??= this.#poll().finally(() => (this.#polling = undefined));
    return this.#polling;
  }

  get status(): SourceStatus {
    const { version, expiresMs, kid } = this.#inForce ?? { version: 0, expiresMs: 0, kid: "" };
    return { version, expiresMs, kid, succeededMs: this.#succeededMs, error: this.#error };
  }

  async #poll(): Promise<boolean> {
    const replace = this.#replace;
    if (!replace) return false;
    try {
      const opened = await this.#read();
      const isNew = opened !== undefined && opened.text !== this.#inForce?.text;
      if (isNew) await replace(this.#json(opened), () => this.#highest!.raise(opened.version));
      if (opened) this.#inForce = opened;
      this.#succeed();
      return isNew;
    } catch (fault) {
      // The next time it is read as a whole, and refused again.
      this.#etag = null;
      this.#fail(fault instanceof CountersignError ? fault : unavailable("it cannot be converted"));
      return false;
    }
  }

  /**
   * The signed policy, if its signature holds; `undefined` if it has not changed.
   * @throws CountersignError why it is not available, or refused.
   */
  async #read(): Promise<Opened | undefined> {
    const host = this.#host!;
    this.#readMs = monotonicMs();
    const signed = this.#url.protocol === "file:" ? fileAt(this.#url, unavailable) : await this.#fetch(host);
    if (!signed) return undefined;
    const trust = { ...this.#options.trust, min_version: this.#highest!.value };
    const { policy, version, expires_ms, kid, problem } = openSigned(signed, trust, host.nowMs());
    if (problem) throw new CountersignError("signed policy", [problem]);
    return { text: policy, version, expiresMs: expires_ms, kid };
  }

  async #fetch({ fetch, fetchInit }: SourceHost): Promise<Uint8Array | undefined> {
    const bounds = { uri: this.#url.href, timeout_ms: TIMEOUT_MS, max_bytes: LARGEST_BYTES };
    const headers: [string, string][] = this.#etag === null ? [] : [["if-none-match", this.#etag]];
    const fetched = await fetchWithin(bounds, fetch, { ...fetchInit, cf: undefined, headers } as RequestInit);
    if ("failed" in fetched) throw unavailable(`the server did not answer (${fetched.failed})`);
    if (fetched.status === 304 && this.#etag !== null) return undefined;
    if (fetched.status !== 200) throw unavailable(`the server answered ${fetched.status}`);
    this.#etag = fetched.etag ?? null;
    return fetched.body;
  }

  #json({ text }: Opened): string {
    return this.#options.convert?.(text) ?? text;
  }

  #succeed(): void {
    this.#error = null;
    this.#succeededMs = this.#host!.nowMs();
  }

  #fail(error: CountersignError): void {
    this.#error = error;
    try {
      if (this.#options.onError) Promise.resolve(this.#options.onError(error)).catch(() => {});
      else if (error.message !== this.#logged) console.error(`countersign: the policy in force stays: ${error.message}`);
    } catch {
      // The hook is not ours.
    }
    this.#logged = error.message;
  }
}

type Written = { policy: string; version: number; expires_ms: number; kid: string; problem?: Problem };

function openSigned(signed: Uint8Array, trust: Trust, nowMs: number): Written {
  const utf8 = new TextEncoder();
  try {
    return JSON.parse(main.glue.openSigned(signed, utf8.encode(JSON.stringify(trust)), nowMs));
  } catch {
    main.restart();
    throw CountersignError.of("signed policy", "internal_error", "the module failed");
  }
}

function unavailable(message: string): CountersignError {
  return CountersignError.of("signed policy", "policy_unavailable", message);
}
