// The two clocks: one says what time it is and may be set, the other only how long something took.

/** As far as a double counts. */
const LATEST_MS = 2 ** 53;

/** Milliseconds since the epoch; NaN where the clock answers anything else: then nothing is admitted. */
export function wallMs(now: () => number): number {
  try {
    // A text or `null` would count as a number, and a date as its time.
    const ms: unknown = now();
    return typeof ms === "number" && ms >= 0 && ms < LATEST_MS ? ms : NaN;
  } catch {
    return NaN;
  }
}

/** Milliseconds since some moment, on a clock that nobody sets. In Workers it stands still while a request computes. */
export function monotonicMs(): number {
  return performance.now();
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets the event loop do something else, where it may be asked to: a Worker has no timers before its first request. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (work: () => void) => void };
  return new Promise((resolve) => {
    try {
      if (setImmediate) setImmediate(resolve);
      else setTimeout(resolve, 0);
    } catch {
      resolve();
    }
  });
}

/** Waits for work, but no longer than so many milliseconds. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(ms, 0));
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
