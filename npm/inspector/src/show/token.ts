import type { Inspection } from "countersign";
import { copyButton, element, headed } from "./dom.js";

/** The token with its parts in colours, the same as in the headings of header, claims and signature. */
export function showToken(token: string, { signatureBytes }: Inspection, signed: boolean): HTMLElement {
  const colours = ["of-header", "of-claims", "of-signature"];
  const parts = token.split(".").flatMap((text, index) => [index > 0 && element("span", "dot", "."), element("span", colours[index] ?? "", text)]);
  const signature = signatureBytes !== null && element("p", "note", element("span", "swatch of-signature"), `the signature: ${signatureBytes} bytes, ${signed ? "verified" : "not verified"}`);
  return headed("Token", [copyButton("the token", token)], element("p", "token", ...parts), signature);
}
