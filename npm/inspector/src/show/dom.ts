// Elements. Whatever a token or a policy says becomes text, never markup.

export type Child = Node | string | undefined | false;

/** An element of a class, with children. */
export function element<K extends keyof HTMLElementTagNameMap>(name: K, className = "", ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** Text with what stands between backticks as code. */
export function prose(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  text.split("`").forEach((part, index) => fragment.append(index % 2 === 1 ? element("code", "", part) : part));
  return fragment;
}

/** A part of the findings, under its heading. */
export function part(title: string, ...children: Child[]): HTMLElement {
  return element("section", "part", element("h2", "", title), ...children);
}

/** Only for those who hear the page. */
export function spoken(text: string): HTMLElement {
  return element("span", "spoken", text);
}
