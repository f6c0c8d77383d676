// Documents that a build step, a store or another process has fetched for a gate.

import type { Document, Known } from "./documents.js";
import { CountersignError } from "./error.js";

/** A document in force, as JSON can carry it. Whoever can write one decides whose tokens are good. */
export interface GateDocument {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: Document["kind"];
  readonly uri: string;
  /** Of the answer, which says for how long it is fresh. */
  readonly cacheControl: string;
  /** JSON. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly fetchedAtMs: number;
}

export function toDocuments(known: readonly Known[]): GateDocument[] {
  return known.map(({ issuer, kind, uri, answer: { cacheControl, body }, atMs }) => ({ issuer, kind, uri, cacheControl, body: decoder.decode(body), fetchedAtMs: atMs }));
}

/** @throws CountersignError for what no {@link GateDocument} is. What is in them is for the gate to judge. */
export function ofDocuments(documents: unknown): Known[] {
  if (!Array.isArray(documents)) throw refusal("no list");
  return documents.map((document: Partial<GateDocument> | null, index) => {
    const { issuer, kind, uri, cacheControl, body, fetchedAtMs } = document ?? {};
    const texts = [issuer, kind, uri, cacheControl, body].every((text) => typeof text === "string");
    if (!texts || typeof fetchedAtMs !== "number" || !(fetchedAtMs >= 0)) throw refusal(`document ${index} is none that a gate gave out`);
    return { issuer: issuer!, kind: kind!, uri: uri!, answer: { status: 200, cacheControl: cacheControl!, body: encoder.encode(body) }, atMs: fetchedAtMs };
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function refusal(message: string): CountersignError {
  return CountersignError.of("list of documents", "documents_invalid", message);
}
