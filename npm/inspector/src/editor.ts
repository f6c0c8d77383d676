// Line numbers beside the policy, with marks.

import type { Span } from "./policy.js";
import { element } from "./show/dom.js";
import { lineOf } from "./show/excerpt.js";

/** A part of the text that has a colour. */
export interface Mark {
  readonly span: Span;
  readonly tone: "bad" | "good" | "unsure";
}

export class Editor {
  readonly #field: HTMLTextAreaElement;
  readonly #gutter: HTMLElement;

  constructor(field: HTMLTextAreaElement, gutter: HTMLElement) {
    this.#field = field;
    this.#gutter = gutter;
    field.addEventListener("scroll", () => this.#follow(), { passive: true });
    field.addEventListener("input", () => this.mark([]));
  }

  /** Numbers the lines, and marks those of the spans. On one line the last mark counts. */
  mark(marks: readonly Mark[]): void {
    const { value } = this.#field;
    const tones = new Map<number, string>();
    for (const { span, tone } of marks) for (let line = span.line; line <= lineOf(value, span); line++) tones.set(line, tone);
    const count = Math.min(value.split("\n").length, MOST);
    this.#gutter.replaceChildren(element("div", "", ...Array.from({ length: count }, (_, index) => element("span", tones.get(index + 1) ?? "", String(index + 1)))));
    this.#follow();
  }

  /** Selects a part of the text and scrolls to it. */
  jump({ line, start, end }: Span): void {
    const field = this.#field;
    field.closest("details")?.setAttribute("open", "");
    field.focus({ preventScroll: true });
    field.setSelectionRange(start, Math.max(start, start + field.value.slice(start, end).trimEnd().length));
    const height = Number.parseFloat(getComputedStyle(field).lineHeight);
    field.scrollTop = Math.max(0, (line - 3) * height);
    field.scrollIntoView({ block: "nearest" });
  }

  #follow(): void {
    const content = this.#gutter.firstElementChild;
    if (content instanceof HTMLElement) content.style.transform = `translateY(${-this.#field.scrollTop}px)`;
  }
}

/** Real policies are shorter. */
const MOST = 5_000;
