// The two clocks: the wall clock gives the time and may be set; the monotonic clock only measures durations.

/** The largest integer that a double counts to exactly. */
const LATEST_MS = 2 ** 53;

/** Milliseconds since the epoch; NaN if the clock returns anything else. Then nothing is admitted. */
export function wallMs(now: () => number): number {
  try {
    // Comparisons would convert a string, `null` or a `Date` to a number.
    const ms: unknown = now();
    return typeof ms === "number" && ms >= 0 && ms < LATEST_MS ? ms : NaN;
  } catch {
    return NaN;
  }
}

/** Milliseconds of the monotonic clock. In Workers it does not advance while a request computes. */
export function monotonicMs(): number {
  return performance.now();
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Lets the event loop do other work. A Worker has no timers before its first request: there it resolves at once. */
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

/** Waits for `work`, at most `ms` milliseconds. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(ms, 0));
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
