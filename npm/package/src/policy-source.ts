import type { CountersignError } from "./error.js";
import type { Fetcher } from "./documents.js";
import type { WaitUntil } from "./wait-until.js";

/** What a gate brings to the source of its policies. */
export interface SourceHost {
  readonly fetch: Fetcher;
  readonly fetchInit: RequestInit;
  /** Milliseconds since the epoch; NaN if the clock is invalid. */
  nowMs(): number;
  /** Whether work may go on between requests, and whether timers may start it. */
  readonly shared: boolean;
  readonly timers: boolean;
}

/** Puts a policy in force. `before` runs when the policy is open, and not yet in force. */
export type Replace = (policy: string, before: () => void) => Promise<void>;

/** Where a gate takes its policies from, again and again: in place of a policy in `createGate`, for one gate. */
export abstract class PolicySource {
  /** @internal The first policy. */
  abstract open(host: SourceHost): Promise<string>;
  /** @internal The first policy is in force: from now on, newer ones replace it. */
  abstract follow(replace: Replace): void;
  /** @internal In runtimes without timers between requests: reads again if it is time, behind the request. */
  abstract refresh(waitUntil?: WaitUntil): void;
  /** @internal */
  abstract close(): void;
  abstract readonly status: SourceStatus;
}

/** The state of a {@link PolicySource}. */
export interface SourceStatus {
  /** Of the policy in force. */
  readonly version: number;
  /** When it can no longer be put in force: milliseconds since the epoch. A policy in force stays. */
  readonly expiresMs: number;
  /** The key that has signed it. */
  readonly kid: string;
  /** When the source last had a good policy, new or not: milliseconds since the epoch. */
  readonly lastSuccessMs: number;
  /** What is wrong since then, for example that the policy in force has expired; `null` if nothing is. */
  readonly lastError: CountersignError | null;
}
