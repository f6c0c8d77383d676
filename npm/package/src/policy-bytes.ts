// Reads a policy from its source.

import { pause } from "./clock.js";
import { answerOf, fetchDocument } from "./documents.js";
import { CountersignError } from "./error.js";
import { fileAt } from "./files.js";
import type { Settings } from "./settings.js";

const LARGEST_POLICY_BYTES = 16 << 20;

/** The pauses between the tries to fetch a policy. With the timeouts of the fetches they take half a minute in total. */
const PAUSES_MS = [250, 1_000, 4_000];

/**
 * The JSON of a policy, from an object, a text or a URL. If the server does not answer, or answers 429 or 5xx, the fetch is tried again.
 * @throws CountersignError if the policy is not available.
 */
export async function bytesOf(policy: object | string | URL, { fetch, fetchInit }: Pick<Settings, "fetch" | "fetchInit">): Promise<Uint8Array> {
  if (!(policy instanceof URL)) return new TextEncoder().encode(textOf(policy));
  if (policy.protocol === "file:") return fileAt(policy, LARGEST_POLICY_BYTES, unavailable);
  const bounds = { uri: policy.href, timeout_ms: 5_000, max_bytes: LARGEST_POLICY_BYTES };
  for (let attempt = 0; ; attempt++) {
    const answer = answerOf(await fetchDocument(bounds, fetch, fetchInit));
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

function unavailable(message: string): CountersignError {
  return CountersignError.of("policy", "policy_unavailable", message);
}
