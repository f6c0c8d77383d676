// Where a policy comes from.

import { pause } from "./clock.js";
import { fetchDocument } from "./documents.js";
import { CountersignError } from "./error.js";
import type { Settings } from "./generation.js";

const LARGEST_POLICY_BYTES = 16 << 20;

/** Between the tries to fetch a policy: half a minute in all, with the time that an answer may take. */
const PAUSES_MS = [250, 1_000, 4_000];

/**
 * A policy as JSON: of an object, a text, or what is at a URL. A server that does not answer, or answers 429 or 5xx, is asked again.
 * @throws CountersignError where it cannot be had.
 */
export async function bytesOf(policy: object | string | URL, { fetch, fetchInit }: Settings): Promise<Uint8Array> {
  if (!(policy instanceof URL)) return new TextEncoder().encode(textOf(policy));
  if (policy.protocol === "file:") return readFile(policy);
  const bounds = { uri: policy.href, timeout_ms: 5_000, max_bytes: LARGEST_POLICY_BYTES };
  for (let attempt = 0; ; attempt++) {
    const answer = await fetchDocument(bounds, fetch, fetchInit);
    if (answer?.status === 200) return answer.body;
    const passing = answer === undefined || answer.status === 429 || answer.status >= 500;
    const pauseMs = PAUSES_MS[attempt];
    if (!passing || pauseMs === undefined) throw unavailable(answer ? `the server answered ${answer.status}` : "the server did not answer");
    await pause(pauseMs * (1 + Math.random() / 4));
  }
}

function textOf(policy: object | string): string {
  if (typeof policy === "string") return policy;
  try {
    return JSON.stringify(policy) ?? "";
  } catch {
    throw unavailable("the object cannot be written as JSON");
  }
}

function readFile(url: URL): Uint8Array {
  type Node = { getBuiltinModule?(name: "fs"): { readFileSync(path: URL): Uint8Array } };
  const files = (globalThis as { process?: Node }).process?.getBuiltinModule?.("fs");
  if (!files) throw unavailable("this runtime reads no files");
  try {
    return files.readFileSync(url);
  } catch {
    throw unavailable("the file cannot be read");
  }
}

function unavailable(message: string): CountersignError {
  return CountersignError.of("policy", "policy_unavailable", message);
}
