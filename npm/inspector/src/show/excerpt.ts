// Shows lines of the policy's own text, with their numbers.

import type { Span } from "../policy.js";
import { element, spoken } from "./dom.js";

/** Lines before and after the marked ones, where there are too many. */
const AROUND = 1;
/** The most lines of an excerpt. */
const LINES = 16;
/** The most characters of a line: a policy in JSON may be one line. */
const WIDTH = 220;

/** The lines of `whole`, with those of the marked spans highlighted. */
export function excerpt(text: string, whole: Span, marked: readonly Span[], tone: "bad" | "good" | "unsure"): HTMLElement {
  const lines = text.split("\n");
  const first = whole.line;
  const last = Math.max(first, lineOf(text, whole));
  const marks = marked.map((span) => [span, span.line, lineOf(text, span)] as const);
  const isMarked = (line: number) => marks.some(([, from, to]) => from <= line && line <= to);
  const shown = chosen(first, last, isMarked);
  // On a phone there is no room for the indentation that all lines have.
  const indent = Math.min(...shown.map((line) => /\S/.exec(lines[line - 1] ?? "")?.index ?? Infinity), whole.column - 1);
  const rows: HTMLElement[] = [];
  let before = first - 1;
  for (const line of shown) {
    if (line > before + 1) rows.push(gap());
    const span = marks.find(([, from]) => from === line)?.[0];
    const at = (span ?? (line === first ? whole : undefined))?.column ?? 1;
    rows.push(row(line, code((lines[line - 1] ?? "").trimEnd().slice(indent), at - 1 - indent, span && span.end - span.start), isMarked(line)));
    before = line;
  }
  if (before < last) rows.push(gap());
  return element("div", `excerpt ${tone}`, ...rows);
}

/** All lines if they are few, or else the first one and those at the marks. */
function chosen(first: number, last: number, isMarked: (line: number) => boolean): number[] {
  const all = Array.from({ length: Math.min(last - first + 1, 10_000) }, (_, index) => first + index);
  if (all.length <= LINES) return all;
  const near = (line: number) => Array.from({ length: 2 * AROUND + 1 }, (_, index) => line - AROUND + index).some(isMarked);
  const some = all.some(isMarked) ? all.filter((line) => line === first || near(line)) : all;
  return some.slice(0, LINES);
}

function row(line: number, content: HTMLElement, isMarked: boolean): HTMLElement {
  const number = element("span", "number", String(line));
  number.ariaHidden = "true";
  return element("div", isMarked ? "row marked" : "row", number, spoken(`Line ${line}: `), content);
}

/** A line, or the part of a long one around `at`, with the `length` characters there marked. */
function code(line: string, at: number, length = 0): HTMLElement {
  const from = line.length <= WIDTH ? 0 : Math.max(0, Math.min(at - WIDTH / 4, line.length - WIDTH));
  const to = Math.min(line.length, from + WIDTH);
  const end = Math.min(to, at + length);
  const marked = end > at && element("mark", "", line.slice(at, end));
  return element("code", "", from > 0 && "…", line.slice(from, at), marked, line.slice(Math.max(at, end), to), to < line.length && "…");
}

function gap(): HTMLElement {
  const dots = element("span", "number", "⋯");
  dots.ariaHidden = "true";
  return element("div", "row gap", dots);
}

/** The last line of a span, without white space after it. */
export function lineOf(text: string, { line, start, end }: Span): number {
  return line + text.slice(start, end).trimEnd().split("\n").length - 1;
}
