import type { Cryptography, Verifier } from "./cryptography.js";
import type { Fetcher } from "./documents.js";
import type { ProofStore } from "./proofs.js";
import type { Secrets } from "./secrets.js";
import type { Candidate } from "./shadow.js";
import type { GateDocument } from "./stored.js";
import type { Hooks } from "./watch.js";

export interface Options extends Hooks {
  /** A replacement for the runtime's `fetch`. It must not follow redirects. */
  readonly fetch?: Fetcher;
  /** Documents from `gate.documents()` of this or another process. None of them is fetched before it is due. */
  readonly documents?: readonly GateDocument[];
  /** How long a check waits for documents, in milliseconds. Default: 6,000. */
  readonly waitMs?: number;
  /** How many checks may wait at the same time for the documents and answers of one issuer. Default: 1,024. Others are denied with `keys_unavailable`, or the code of what they need. */
  readonly maxWaiting?: number;
  /**
   * `background` (the default): documents are refreshed on timers, or in Workers during requests. `inline`, for processes that are frozen between
   * requests: if documents are due, a request fetches them and waits for them, at most one second, before it is decided.
   */
  readonly refresh?: "background" | "inline";
  /**
   * What verifies signatures: `module` (the default), the package's own code; `native`, the `node:crypto` of Node.js, Bun or Deno; or `webcrypto`, for
   * runtimes that have nothing else. Decisions are the same. WebCrypto is asynchronous: `checkSync` and `explain` then know only tokens that were checked before.
   */
  readonly signatures?: Verifier["by"];
  /** The secrets that the policy names by `secret_from`, by name. A text is its UTF-8. They are never printed. */
  readonly secrets?: Secrets;
  /** Where used proofs of possession are kept. Default: a table that all gates of this process share, with 100,000 places, 1,000 of them for one key. */
  readonly proofs?: ProofStore;
  /** How long `createGate` waits until the gate is ready, in milliseconds; then it opens all the same. Default: it does not wait. */
  readonly readyMs?: number;
  /** A candidate beside the policy: it is asked about each request too, which changes nothing. From `countersign/shadow`. */
  readonly shadow?: Candidate;
  /** The clock: milliseconds since the epoch. Default: `Date.now`. While it returns anything else, every request is denied. */
  readonly now?: () => number;
  /** The compiled sealed module, for runtimes that none of the package's entries supports. */
  readonly module?: WebAssembly.Module;
}

/** The runtime's context of the current request, if it has one. */
export interface Context {
  /** Lets a fetch continue after the request. Without it, in runtimes that do no work between requests, the request waits for the fetch. */
  waitUntil?(work: Promise<unknown>): void;
}

/** The differences between runtimes. */
export interface Platform {
  readonly module: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  /** The cryptography of the option `signatures: "native"`, where there is one. */
  readonly native?: () => Cryptography | Promise<Cryptography>;
  readonly shared: boolean;
  readonly fetchInit: RequestInit;
}
