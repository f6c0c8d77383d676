import { monotonicMs, pause } from "./clock.js";
import type { Document } from "./documents.js";

/** The first and the longest pause between two checks whether another request's fetch is done. */
const LOOK_MS = [5, 80] as const;

/** The longest time from the end of a fetch until its document is in force. */
const LANDING_MS = 10_000;

export interface Flight {
  readonly source: number;
  readonly startedMs: number;
  /** From then on it counts as lost: the runtime may have ended the request that started it, and the fetch with it. */
  readonly lostMs: number;
  landed: boolean;
  work: Promise<void>;
}

/** The fetches in progress, one for each source and address. */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #shared: boolean;

  /** `shared`: whether a request may await a promise of another request. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Resolves when the document is supplied, when the fetch is lost, or, unless `shared`, at `untilMs`. */
  join(flight: Flight, untilMs: number): Promise<void> {
    return this.#shared ? flight.work : watch(flight, untilMs);
  }

  underWay({ source, uri }: Document): Flight | undefined {
    const flight = this.#flights.get(`${source} ${uri}`);
    return flight && monotonicMs() < flight.lostMs ? flight : undefined;
  }

  all(): Flight[] {
    return [...this.#flights.values()].filter(({ lostMs }) => monotonicMs() < lostMs);
  }

  start({ source, uri }: Document, timeoutMs: number, land: () => Promise<void>): Flight {
    const key = `${source} ${uri}`;
    const startedMs = monotonicMs();
    const flight: Flight = { source, startedMs, lostMs: startedMs + timeoutMs + LANDING_MS, landed: false, work: Promise.resolve() };
    this.#flights.set(key, flight);
    flight.work = land().finally(() => {
      flight.landed = true;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}

/** A Worker must not await a promise of another request: it checks with its own timers instead. */
async function watch(flight: Flight, untilMs: number): Promise<void> {
  let look: number = LOOK_MS[0];
  while (!flight.landed && monotonicMs() < Math.min(flight.lostMs, untilMs)) {
    await pause(look);
    look = Math.min(2 * look, LOOK_MS[1]);
  }
}
