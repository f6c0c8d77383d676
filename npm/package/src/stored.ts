// Documents that were fetched elsewhere: by a build step, a store or another process.

import type { Document, Known } from "./documents.js";
import { CountersignError } from "./error.js";

/** A document in force, as a JSON value. Anyone who can change it decides which tokens are valid. */
export interface GateDocument {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: Document["kind"];
  readonly uri: string;
  /** The response's `Cache-Control`, for how long the document is fresh. */
  readonly cacheControl: string;
  /** JSON. */
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly fetchedAtMs: number;
}

export function toDocuments(known: readonly Known[]): GateDocument[] {
  return known.map(({ issuer, kind, uri, answer: { cacheControl, body }, atMs }) => ({ issuer, kind, uri, cacheControl, body: decoder.decode(body), fetchedAtMs: atMs }));
}

/** @throws CountersignError if a value is no {@link GateDocument}. Only the gate checks the bodies. */
export function ofDocuments(documents: unknown): Known[] {
  if (!Array.isArray(documents)) throw refusal("it is not a list");
  return documents.map((document: Partial<GateDocument> | null, index) => {
    const { issuer, kind, uri, cacheControl, body, fetchedAtMs } = document ?? {};
    const texts = [issuer, kind, uri, cacheControl, body].every((text) => typeof text === "string");
    if (!texts || typeof fetchedAtMs !== "number" || !(fetchedAtMs >= 0)) throw refusal(`document ${index} is not from \`gate.documents()\``);
    return { issuer: issuer!, kind: kind!, uri: uri!, answer: { status: 200, cacheControl: cacheControl!, body: encoder.encode(body) }, atMs: fetchedAtMs };
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function refusal(message: string): CountersignError {
  return CountersignError.of("list of documents", "documents_invalid", message);
}
