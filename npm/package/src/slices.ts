// Hands documents to the module, slice by slice.

import type { Answer, Document } from "./documents.js";
import type { Gate } from "./glue/countersign.js";
import type { Supplied } from "./written.js";

/** To the module, status 0 means that there is no response. */
export const NO_ANSWER: Answer = { status: 0, cacheControl: "", body: new Uint8Array() };

/** The first slice of a document, or that it was not fetched. */
export function supply(gate: Gate, { source, uri }: Document, answer: Answer | undefined, atMs: number): Supplied {
  if (!answer) return JSON.parse(gate.supplyFailure(source, uri, atMs));
  const { status, cacheControl, body } = answer;
  return JSON.parse(gate.supply(source, uri, status, cacheControl, body.length, part(answer, 0), atMs));
}

/** The number of bytes that one call copies into the module, in a fraction of a millisecond. */
const PART_BYTES = 1024 * 1024;

/** The slice of this number; empty after the last one. */
export function part(answer: Answer | undefined, slice: number): Uint8Array {
  return answer?.body.subarray(slice * PART_BYTES, (slice + 1) * PART_BYTES) ?? new Uint8Array();
}
