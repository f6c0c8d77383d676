// What the module answers about documents.

import type { Answer, Document } from "./documents.js";
import type { Problem } from "./error.js";
import type * as glue from "./glue/countersign.js";

export type Supplied =
  | { readonly outcome: "accepted"; readonly skipped: readonly Problem[] }
  | { readonly outcome: "refused"; readonly problem: Problem }
  /** To be gone on with. */
  | { readonly outcome: "unfinished" }
  /** The document is at another address by now: nothing changed. */
  | { readonly outcome: "outdated" };

export function supply(gate: glue.Gate, { source }: Document, answer: Answer | undefined, atMs: number): Supplied {
  const { skipped, problem } = JSON.parse(answer ? gate.supply(source, answer.status, answer.cacheControl, answer.body, atMs) : gate.supplyFailure(source, atMs));
  return skipped ? { outcome: "accepted", skipped } : { outcome: "refused", problem };
}

export function resume(_gate: glue.Gate, _document: Document, _atMs: number): Supplied {
  return { outcome: "outdated" };
}

/** Milliseconds from now until something is due; `undefined` if never. */
export function nextDue(gate: glue.Gate, nowMs: number): number | undefined {
  const at = gate.nextDue();
  return at === undefined ? undefined : Math.max(0, at - nowMs);
}
