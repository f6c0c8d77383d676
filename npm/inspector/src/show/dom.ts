// Creates elements. The contents of tokens and policies become text, never markup.

export type Child = Node | string | undefined | false;

/** An element with a class and children. */
export function element<K extends keyof HTMLElementTagNameMap>(name: K, className = "", ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** Text in which the parts between backticks are code. */
export function prose(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  text.split("`").forEach((part, index) => fragment.append(index % 2 === 1 ? element("code", "", part) : part));
  return fragment;
}

/** A section of the results, with its heading. */
export function part(title: string, ...children: Child[]): HTMLElement {
  return element("section", "part", element("h2", "", title), ...children);
}

/** The same with other things beside the heading. */
export function headed(title: string, beside: readonly Child[], ...children: Child[]): HTMLElement {
  return element("section", "part", element("div", "head", element("h2", "", title), ...beside), ...children);
}

/** Text for screen readers only. */
export function spoken(text: string): HTMLElement {
  return element("span", "spoken", text);
}

/** A button that calls `work`. It is no part of the form's input. */
export function button(className: string, text: string, work: () => void): HTMLButtonElement {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", work);
  return made;
}

/** A button that copies a text, for keyboards and screen readers too. */
export function copyButton(what: string, text: string): HTMLButtonElement {
  const made = button("copy", "Copy", () => {
    const told = (words: string) => {
      made.replaceChildren(words, spoken(` ${what}`));
      setTimeout(() => made.replaceChildren("Copy", spoken(` ${what}`)), 2_000);
    };
    // Pages of other hosts have it only over HTTPS.
    (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"))).then(() => told("Copied"), () => told("Not copied"));
  });
  made.append(spoken(` ${what}`));
  made.ariaLive = "polite";
  return made;
}
