import type { Code } from "./code.js";
import type { Comparison } from "./events.js";
import type { SourceStatus } from "./policy-source.js";
import type { DocumentStatus } from "./written.js";

/** The state of a gate. It contains no token, no secret and no claim's value. */
export interface GateStatus {
  /** As `gate.ready()`. */
  readonly ready: boolean;
  /** The SHA-256 of the policy in its canonical form, in hexadecimal. */
  readonly policyDigest: string;
  /** The SHA-256 of the file that decides, in hexadecimal; `null` with the option `module`. */
  readonly moduleDigest: string | null;
  /** `null` for a policy that was given to the gate itself. */
  readonly source: SourceStatus | null;
  /** The documents, and the introspection servers that were asked. */
  readonly documents: readonly DocumentStatus[];
  /** `null` without a candidate. */
  readonly shadow: ShadowStatus | null;
}

/** The state of a candidate. */
export interface ShadowStatus {
  readonly policyDigest: string;
  readonly ready: boolean;
  readonly documents: readonly DocumentStatus[];
  /** What came of the comparisons since the candidate, or the policy in force, was last replaced. At most 1,000 different ones. */
  readonly counts: readonly ComparisonCount[];
  /** The number of comparisons of still other kinds. */
  readonly other: number;
}

export interface ComparisonCount {
  readonly comparison: Comparison;
  /** The rule of the policy in force: its name, or its place, such as `/rules/0`; `null` if none matched. */
  readonly rule: string | null;
  /** The code of the candidate's denial. */
  readonly code: Code | null;
  readonly count: number;
}
