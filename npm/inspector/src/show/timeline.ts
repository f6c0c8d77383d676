import { absolute, duration, ofClaim, relative } from "../moment.js";
import { element, part } from "./dom.js";

interface Mark {
  readonly names: string;
  readonly ms: number;
}

/** The share of the width that is kept free at each end, for times outside. */
const MARGIN = 0.14;
/** The smallest distance of a label from the ends, as a share of the width. */
const EDGE = 0.06;
/** Marks that are closer than this share of the width share one label. */
const CLOSE = 0.07;

/** A picture of the token's times, its validity, and `now`. */
export function showTimeline(claims: { readonly [claim: string]: unknown }, nowMs: number, leewayS: number | undefined): HTMLElement[] {
  const moments = ["iat", "nbf", "exp"].flatMap((name): Mark[] => {
    const ms = ofClaim(claims[name]);
    return ms === undefined ? [] : [{ names: name, ms }];
  });
  if (moments.length === 0) return [];
  const times = moments.map(({ ms }) => ms);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  // The span must not be zero if the token has only one time.
  const span = Math.max(last - first, 1000);
  const place = (ms: number) => MARGIN + ((ms - first) / span) * (1 - 2 * MARGIN);
  const at = (name: string) => moments.find(({ names }) => names === name)?.ms;

  const track = element("div", "track");
  const [begin, end] = [at("nbf") ?? at("iat"), at("exp")];
  const leewayMs = (leewayS ?? 0) * 1000;
  const from = begin === undefined ? 0 : place(begin);
  const to = end === undefined ? 1 : place(end);
  track.append(stretch("alive", from, to));
  if (leewayMs > 0 && begin !== undefined) track.append(stretch("leeway", place(begin - leewayMs), from));
  if (leewayMs > 0 && end !== undefined) track.append(stretch("leeway", to, place(end + leewayMs)));
  for (const mark of together(moments, place)) track.append(pin("pin", place(mark.ms), mark.names));
  const now = place(nowMs);
  track.append(pin("pin now", Math.min(Math.max(now, EDGE), 1 - EDGE), now < EDGE ? "‹ now" : now > 1 - EDGE ? "now ›" : "now"));

  const picture = element("div", "timeline", track);
  picture.role = "img";
  const words = [...moments, { names: "now", ms: nowMs }].sort((a, b) => a.ms - b.ms);
  picture.ariaLabel = `In order: ${words.map(({ names }) => names).join(", ")}.`;
  return [part("Times", picture, legend(moments, nowMs, first, last, leewayS))];
}

function legend(moments: readonly Mark[], nowMs: number, first: number, last: number, leewayS: number | undefined): HTMLElement {
  const rows = moments.map(({ names, ms }) => row(names, relative(ms, nowMs), absolute(ms)));
  rows.push(row("now", "", absolute(nowMs)));
  if (moments.length > 1 && last > first) rows.push(row("life", duration(last - first), ""));
  if (leewayS !== undefined) rows.push(row("leeway", `${leewayS} seconds at both ends, by the policy`, ""));
  return element("dl", "moments", ...rows);
}

function row(name: string, words: string, exact: string): HTMLElement {
  return element("div", "", element("dt", "", name), element("dd", "", words, words !== "" && exact !== "" && ", ", exact !== "" && element("time", "", exact)));
}

/** Joins marks whose labels would overlap. */
function together(moments: readonly Mark[], place: (ms: number) => number): Mark[] {
  const marks: Mark[] = [];
  for (const mark of [...moments].sort((a, b) => a.ms - b.ms)) {
    const before = marks.at(-1);
    if (before && place(mark.ms) - place(before.ms) < CLOSE) marks.splice(-1, 1, { ...before, names: `${before.names}, ${mark.names}` });
    else marks.push(mark);
  }
  return marks;
}

function stretch(className: string, from: number, to: number): HTMLElement {
  const made = element("div", className);
  made.style.left = percent(from);
  made.style.width = percent(Math.min(to, 1) - Math.max(from, 0));
  return made;
}

function pin(className: string, place: number, label: string): HTMLElement {
  const made = element("div", className, element("span", "", label));
  made.style.left = percent(place);
  return made;
}

function percent(share: number): string {
  return `${Math.round(Math.max(share, 0) * 10_000) / 100}%`;
}
