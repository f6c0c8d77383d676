import type { Entries } from "./fields.js";
import minted from "./examples.json";

/** Something to begin with: tokens of a made-up issuer, signed with published test keys. */
export const EXAMPLES: readonly { readonly name: string; readonly expect: string; readonly entries: Entries }[] = minted;
