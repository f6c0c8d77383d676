// The hint under the token: how it was read, and what else is in the text.

import { readCurl } from "./curl.js";
import { type Entries, field } from "../fields.js";
import { button, type Child, prose } from "../show/dom.js";
import type { TokenText } from "./token-text.js";

/** Shows the hint. `change` puts values into the form. */
export function showTokenHint(form: HTMLFormElement, { token, how, others }: TokenText, change: (entries: Entries) => void): void {
  const command = readCurl(field(form, "token").value, token);
  const parts: Child[] = [];
  if (how !== "") parts.push(prose(`${how}. `));
  others.slice(0, MOST).forEach((other, index) => {
    const name = other.place || `another token`;
    parts.push(index === 0 ? "Or use " : ", ", button("", name, () => change({ token: other.token })));
  });
  if (others.length > 0) parts.push(". ");
  if (command) parts.push(button("", "Use the request of this command", () => change({ ...command })));
  if (parts.length === 0) parts.push("also a header, a cookie, a curl command or the response of a token endpoint");
  form.querySelector("#token-hint")?.replaceChildren(...parts.filter((part) => part !== undefined && part !== false));
}

/** The most other tokens that are offered. */
const MOST = 4;
