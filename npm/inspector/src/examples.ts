import type { Entries } from "./fields.js";
import created from "./examples.json";

/** Example inputs: tokens of an imaginary issuer, signed with published test keys. */
export const EXAMPLES: readonly { readonly name: string; readonly expect: string; readonly entries: Entries }[] = created;
