import type { Code } from "./code.js";
import type { Comparison } from "./events.js";
import type { SourceStatus } from "./policy-source.js";
import type { DocumentStatus } from "./written.js";

/** The state of a gate. It contains no token, no secret and no claim's value. */
export interface GateStatus {
  /** As `gate.ready()`. */
  readonly ready: boolean;
  readonly policy: {
    /** The SHA-256 of the policy in its canonical form, in hexadecimal. */
    readonly digest: string;
    /** `null` for a policy that was given to the gate itself. */
    readonly source: SourceStatus | null;
  };
  /** The documents, and the introspection servers that were asked. */
  readonly documents: readonly DocumentStatus[];
  /** `null` without a candidate. */
  readonly shadow: ShadowStatus | null;
}

/** The state of a candidate, and what came of the comparisons since it was given. */
export interface ShadowStatus {
  readonly policy: { readonly digest: string };
  readonly ready: boolean;
  /** At most 1,000 different ones. */
  readonly comparisons: readonly ComparisonCount[];
  /** Comparisons of still other kinds. */
  readonly others: number;
}

export interface ComparisonCount {
  readonly comparison: Comparison;
  /** The rule of the policy in force: its name, or its place, such as `/rules/0`; `null` if none matched. */
  readonly rule: string | null;
  /** The code of the candidate's denial. */
  readonly code: Code | null;
  readonly count: number;
}
