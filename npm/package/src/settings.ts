import type { Fetcher } from "./documents.js";
import type { Host } from "./host.js";
import type { Watch } from "./watch.js";

/** The properties of the runtime, and the options. */
export interface Settings extends Host {
  readonly fetch: Fetcher;
  readonly fetchInit: RequestInit;
  /** Whether a request may wait for another request's fetch, and timers may run between requests. */
  readonly shared: boolean;
  /** Whether a request waits, within bounds, for documents that are due before it is decided. Then no timer runs. */
  readonly inline: boolean;
  readonly now: () => number;
  /** The compiled module, for the instance of a candidate. */
  readonly module: WebAssembly.Module;
  /** The hooks; `undefined` if there are none. */
  readonly watch?: Watch | undefined;
  /** The SHA-256 of the module's file, if it is known. */
  readonly moduleDigest?: string | undefined;
  /** Absent for the policy in force. */
  readonly mode?: "shadow";
}
