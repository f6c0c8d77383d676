import { monotonicMs, pause } from "./clock.js";
import type { Document } from "./documents.js";

/** How often who may not wait for another request's work looks whether it is done: at first, and at last. */
const LOOK_MS = [5, 80] as const;

/** From the end of a fetch until its document is in force, at most. */
const LANDING_MS = 10_000;

export interface Flight {
  readonly source: number;
  readonly startedMs: number;
  /** When it counts as lost: the request that flew it may have been given up, and its work with it. */
  readonly lostMs: number;
  landed: boolean;
  work: Promise<void>;
}

/** Documents that are being fetched, each once: a document's source at one address. */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #shared: boolean;

  /** `shared` where one request may wait for a promise of another's. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** Resolves when the document is in, or the flight lost. Nobody looks any more when it is too late. */
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

/** A promise of another request's must not be awaited in a Worker: its own timers look instead. */
async function watch(flight: Flight, untilMs: number): Promise<void> {
  let look: number = LOOK_MS[0];
  while (!flight.landed && monotonicMs() < Math.min(flight.lostMs, untilMs)) {
    await pause(look);
    look = Math.min(2 * look, LOOK_MS[1]);
  }
}
