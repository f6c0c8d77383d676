// Policies that travel: signed, from an address or a file. docs/signed-policies.md says what the signature is about.

import { monotonicMs } from "./clock.js";
import { fetchWithin } from "./documents.js";
import { CountersignError } from "./error.js";
import { fileAt } from "./files.js";
import type { WaitUntil } from "./wait-until.js";
import { HighestVersion } from "./highest-version.js";
import { openSigned } from "./open-signed.js";
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
  /** Where the highest version is kept over a restart, in Node.js, Bun and Deno: `{"version":7}`, the form of every host. Without it, an old signed policy that has not expired can be put in force after a restart. */
  readonly stateFile?: string | URL;
  /** Whether plain `http` is allowed to this machine (`localhost`, `127.0.0.1`, `[::1]`). */
  readonly insecureHttp?: boolean;
  /** What converts the signed text to JSON: `fromYaml` for policies in YAML. Default: it is JSON. */
  readonly convert?: (text: string) => string;
  /** Called if a policy cannot be read or put in force; the old one then stays in force. Default: each different error is logged once. */
  readonly onError?: (error: CountersignError) => unknown;
}

const THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];
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
  /** What was fetched last, and its ETag. Of a policy that was not put in force there is none, so that it is fetched again, and refused again. */
  #fetched: { readonly etag: string; readonly signed: Uint8Array } | undefined;
  #lastSuccessMs = 0;
  #lastError: CountersignError | null = null;
  #readMs = 0;
  #polling: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
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
    const { protocol, hostname } = this.#url;
    const isAllowed = protocol === "https:" || protocol === "file:" || (protocol === "http:" && options.insecureHttp && THIS_MACHINE.includes(hostname));
    if (!isAllowed) throw unavailable("the address is not `https`");
  }

  /** @internal */
  async open(host: SourceHost): Promise<string> {
    if (this.#replace) throw unavailable("the source belongs to another gate");
    this.#host = host;
    // Of an earlier attempt whose policy was refused.
    this.#fetched = undefined;
    this.#highest = new HighestVersion(this.#options.trust.min_version ?? 0, this.#options.stateFile);
    this.#inForce = await this.#read();
    return this.#json(this.#inForce);
  }

  /** @internal */
  follow(replace: Replace): void {
    this.#highest!.raise(this.#inForce!.version);
    this.#succeed();
    this.#replace = replace;
    if (this.#host?.timers) this.#schedule();
  }

  #schedule(): void {
    // Random jitter, so that the processes of a fleet do not ask at the same moment.
    const lateMs = Math.random() * (this.#pollMs / 10);
    this.#timer = setTimeout(async () => {
      await this.poll();
      if (this.#replace) this.#schedule();
    }, this.#pollMs + lateMs);
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
    clearTimeout(this.#timer);
    this.#replace = undefined;
  }

  /** Reads now, and puts a new policy in force. Returns whether it has; errors are told to `onError`. */
  poll(): Promise<boolean> {
    this.#polling ??= this.#poll().finally(() => (this.#polling = undefined));
    return this.#polling;
  }

  get status(): SourceStatus {
    const { version, expiresMs, kid } = this.#inForce ?? { version: 0, expiresMs: 0, kid: "" };
    return { version, expiresMs, kid, lastSuccessMs: this.#lastSuccessMs, lastError: this.#lastError };
  }

  async #poll(): Promise<boolean> {
    const replace = this.#replace;
    if (!replace) return false;
    try {
      const opened = await this.#read();
      const isNew = !isSame(opened, this.#inForce!);
      if (isNew) await replace(this.#json(opened), () => this.#highest!.raise(opened.version));
      this.#inForce = opened;
      this.#succeed();
      return isNew;
    } catch (fault) {
      this.#fetched = undefined;
      this.#fail(fault instanceof CountersignError ? fault : unavailable("it cannot be converted"));
      return false;
    }
  }

  /**
   * The signed policy, if its signature holds. One that has not changed is verified too: it may have expired.
   * @throws CountersignError why it is not available, or refused.
   */
  async #read(): Promise<Opened> {
    const host = this.#host!;
    this.#readMs = monotonicMs();
    const signed = this.#url.protocol === "file:" ? fileAt(this.#url, LARGEST_BYTES, unavailable) : await this.#fetch(host);
    const trust = { ...this.#options.trust, min_version: this.#highest!.value };
    const { policy, version, expires_ms, kid } = openSigned(signed, JSON.stringify(trust), host.nowMs());
    return { text: policy, version, expiresMs: expires_ms, kid };
  }

  async #fetch({ fetch, fetchInit }: SourceHost): Promise<Uint8Array> {
    const bounds = { uri: this.#url.href, timeout_ms: TIMEOUT_MS, max_bytes: LARGEST_BYTES };
    const known = this.#fetched;
    const headers: [string, string][] = known ? [["if-none-match", known.etag]] : [];
    const fetched = await fetchWithin(bounds, fetch, { ...fetchInit, cf: undefined, headers } as RequestInit);
    if ("failed" in fetched) throw unavailable(`the server did not answer (${fetched.failed})`);
    if (fetched.status === 304 && known) return known.signed;
    if (fetched.status !== 200) throw unavailable(`the server answered ${fetched.status}`);
    this.#fetched = fetched.etag ? { etag: fetched.etag, signed: fetched.body } : undefined;
    return fetched.body;
  }

  #json({ text }: Opened): string {
    return this.#options.convert?.(text) ?? text;
  }

  #succeed(): void {
    this.#lastError = null;
    this.#lastSuccessMs = this.#host!.nowMs();
  }

  #fail(error: CountersignError): void {
    this.#lastError = error;
    try {
      if (this.#options.onError) Promise.resolve(this.#options.onError(error)).catch(() => {});
      else if (error.message !== this.#logged) console.error(`countersign: the policy in force stays: ${error.message}`);
    } catch {
      // The hook is not ours.
    }
    this.#logged = error.message;
  }
}

/** The same text that is signed anew is a new one: its version may have risen. */
function isSame(one: Opened, other: Opened): boolean {
  return one.text === other.text && one.version === other.version && one.expiresMs === other.expiresMs && one.kid === other.kid;
}

function unavailable(message: string): CountersignError {
  return CountersignError.of("signed policy", "policy_unavailable", message);
}
