import { monotonicMs, pause } from "./clock.js";
import type { Answer, Document } from "./documents.js";

/** What a fetch in progress is found by. A request has its ticket in place of a source. */
type Address = Pick<Document, "source" | "uri">;

/** The first and the longest pause between two checks whether another request's fetch is done. */
const POLL_MS = [5, 80] as const;

/** The longest time from the end of a fetch until its document is in force. */
const SUPPLY_MS = 10_000;

export interface PendingFetch {
  readonly source: number;
  readonly startedMs: number;
  /** From then on it counts as lost: the runtime may have ended the request that started it, and the fetch with it. */
  readonly expiresMs: number;
  done: boolean;
  work: Promise<void>;
  /** The response to a request. */
  answer?: Answer | undefined;
}

/** The fetches in progress, one for each source and address. */
export class PendingFetches {
  readonly #fetches = new Map<string, PendingFetch>();
  readonly #shared: boolean;

  /** `shared`: whether a request may await a promise of another request. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Resolves when the document is supplied, when the fetch is lost, or, unless `shared`, at `untilMs`. */
  join(fetch: PendingFetch, untilMs: number): Promise<void> {
    return this.#shared ? fetch.work : watch(fetch, untilMs);
  }

  inProgress({ source, uri }: Address): PendingFetch | undefined {
    const fetch = this.#fetches.get(`${source} ${uri}`);
    return fetch && monotonicMs() < fetch.expiresMs ? fetch : undefined;
  }

  all(): PendingFetch[] {
    return [...this.#fetches.values()].filter(({ expiresMs }) => monotonicMs() < expiresMs);
  }

  start({ source, uri }: Address, timeoutMs: number, work: (fetch: PendingFetch) => Promise<void>): PendingFetch {
    const key = `${source} ${uri}`;
    const startedMs = monotonicMs();
    const fetch: PendingFetch = { source, startedMs, expiresMs: startedMs + timeoutMs + SUPPLY_MS, done: false, work: Promise.resolve() };
    this.#fetches.set(key, fetch);
    fetch.work = work(fetch).finally(() => {
      fetch.done = true;
      if (this.#fetches.get(key) === fetch) this.#fetches.delete(key);
    });
    return fetch;
  }
}

/** A Worker must not await a promise of another request: it checks with its own timers instead. */
async function watch(fetch: PendingFetch, untilMs: number): Promise<void> {
  let pauseMs: number = POLL_MS[0];
  while (!fetch.done && monotonicMs() < Math.min(fetch.expiresMs, untilMs)) {
    await pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, POLL_MS[1]);
  }
}
