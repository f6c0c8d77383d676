import { CountersignError, type Problem } from "./error.js";
import { main } from "./instance.js";

/** A signed policy, as the module writes it; with a problem if it is refused. */
export interface OpenedPolicy {
  readonly policy: string;
  readonly version: number;
  readonly expires_ms: number;
  readonly kid: string;
  readonly problem?: Problem;
}

/**
 * Verifies a signed policy by the keys and the names of a trust (JSON), before anything of it is parsed.
 * @throws CountersignError if it is refused.
 */
export function openSigned(signed: Uint8Array, trust: string, nowMs: number): OpenedPolicy {
  let opened: OpenedPolicy;
  try {
    opened = JSON.parse(main.glue.openSigned(signed, new TextEncoder().encode(trust), nowMs));
  } catch {
    main.restart();
    throw CountersignError.of("signed policy", "internal_error", "the module failed");
  }
  if (opened.problem) throw new CountersignError("signed policy", [opened.problem]);
  return opened;
}
