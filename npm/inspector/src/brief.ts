// The verdict in a line, which stays in view while the verdict itself is not.

import { element, spoken } from "./show/dom.js";

export class Brief {
  readonly #line: HTMLButtonElement;
  readonly #observer: IntersectionObserver;

  constructor(line: HTMLButtonElement, results: HTMLElement) {
    this.#line = line;
    this.#observer = new IntersectionObserver(([last]) => {
      line.hidden = last?.isIntersecting ?? true;
    });
    line.addEventListener("click", () => {
      results.focus({ preventScroll: true });
      results.scrollIntoView();
    });
  }

  /** Shows the verdict of these results. */
  show(verdict: Element): void {
    this.#observer.disconnect();
    const title = verdict.querySelector("h2");
    const code = verdict.querySelector(".facts .code")?.textContent;
    this.#line.className = verdict.className.replace("verdict", "brief");
    this.#line.replaceChildren(element("strong", "", title?.textContent ?? ""), " ", ...(code ? [element("code", "", code)] : []), spoken(": to the results"));
    const isCalm = verdict.classList.contains("calm");
    if (isCalm) this.#line.hidden = true;
    else if (title) this.#observer.observe(title);
  }
}
