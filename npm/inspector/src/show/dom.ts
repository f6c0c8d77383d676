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

/** Text for screen readers only. */
export function spoken(text: string): HTMLElement {
  return element("span", "spoken", text);
}
