// Reads and writes times, with the same texts as `countersign inspect`.

/** `2026-11-21T09:30:00Z` (RFC 3339), or seconds since 1970, in milliseconds since then; `undefined` for anything else. */
export function parse(text: string): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const [, date, time, zone = "Z"] = RFC_3339.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?$/;

/** A NumericDate (RFC 7519 §2) in milliseconds; `undefined` for any other value. */
export function ofClaim(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value * 1000 : undefined;
}

export const EXPECTED = "expected a moment such as 2026-11-21T09:30:00Z, or seconds since 1970";

/** RFC 3339 in UTC, or a text if the year is outside 1970 to 9999. */
export function absolute(ms: number): string {
  return ms >= 0 && ms < LATEST_MS ? `${new Date(ms).toISOString().slice(0, 19)}Z` : "outside of the calendar";
}

/** Later years have more than four digits. */
const LATEST_MS = Date.UTC(10_000, 0);

/** `in 4 minutes`, `2 days ago`, `now`. */
export function relative(ms: number, nowMs: number): string {
  if (ms === nowMs) return "now";
  return ms > nowMs ? `in ${duration(ms - nowMs)}` : `${duration(nowMs - ms)} ago`;
}

/** A length of time in its largest whole unit: `4 minutes`. */
export function duration(ms: number): string {
  const [unit, name] = UNITS.find(([unit]) => ms >= unit) ?? [1, "millisecond"];
  const count = Math.floor(ms / unit);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [365 * 86_400_000, "year"],
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
];
