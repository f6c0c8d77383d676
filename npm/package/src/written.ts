// What the module writes, as JSON, read into what the package gives out.

import type { Code } from "./code.js";
import type { Denial } from "./decision.js";
import type { Fetch } from "./documents.js";
import type { Problem } from "./error.js";

type Written =
  | {
      decision: "deny";
      code: Code;
      status: Denial["status"];
      message: string;
      challenge: string | null;
      claim: string | null;
      retry_after_s: number | null;
    }
  | { decision: "wait"; fetches: Fetch[] };

/** A denial, or the documents that the decision waits for. */
export function readDecision(text: string): Denial | Fetch[] {
  const written: Written = JSON.parse(text);
  if (written.decision === "wait") return written.fetches;
  const { code, status, message, challenge, claim, retry_after_s } = written;
  return { allow: false, code, status, message, challenge, claim, retryAfterS: retry_after_s };
}

/** What became of a document that was supplied. */
export type Supplied =
  | { readonly outcome: "accepted"; readonly skipped: readonly Problem[] }
  | { readonly outcome: "refused"; readonly problem: Problem }
  /** To be gone on with. */
  | { readonly outcome: "unfinished" }
  /** The document is at another address by now: nothing changed. */
  | { readonly outcome: "outdated" };

/** The state of a document. */
export interface DocumentStatus {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: Fetch["kind"];
  /** Empty while discovery has not named it. */
  readonly uri: string;
  /** Since it was last accepted. */
  readonly ageMs: number | null;
  /** Failed attempts since then. */
  readonly failures: number;
  /** Whether it may still be used. */
  readonly usable: boolean;
  /** Why the last one that came was refused, or which parts of it are not used. */
  readonly problems: readonly Problem[];
}

export function readStatus(text: string, problems: (issuer: string, kind: Fetch["kind"]) => readonly Problem[]): DocumentStatus[] {
  const written: (Omit<DocumentStatus, "ageMs" | "problems"> & { age_ms: number | null })[] = JSON.parse(text);
  return written.map(({ age_ms, ...document }) => ({ ...document, ageMs: age_ms, problems: problems(document.issuer, document.kind) }));
}

/** A token decoded, verified by nobody. Never a decision. */
export interface Inspection {
  /** `null` where it could not be decoded. */
  readonly header: { readonly [member: string]: unknown } | null;
  readonly claims: { readonly [claim: string]: unknown } | null;
  /** As they were written: large numbers keep their digits. */
  readonly headerText: string | null;
  readonly claimsText: string | null;
  readonly signatureBytes: number | null;
  /** The code of the first fault of its form. */
  readonly fault: Code | null;
}

export function readInspection(text: string): Inspection {
  const { header, claims, signature_bytes, fault } = JSON.parse(text);
  return {
    header: JSON.parse(header ?? "null"),
    claims: JSON.parse(claims ?? "null"),
    headerText: header,
    claimsText: claims,
    signatureBytes: signature_bytes,
    fault,
  };
}

/** One check, for people. May show claims' values. */
export interface Step {
  readonly check: string;
  readonly verdict: "pass" | "fail" | "skip" | "wait";
  /** Where the verdict is `fail`. */
  readonly code: Code | null;
  readonly saw: string;
}
