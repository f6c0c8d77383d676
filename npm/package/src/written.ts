// Converts the module's JSON to the package's types.

import type { Code } from "./code.js";
import type { Answer, Change, Denial } from "./decision.js";
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
      principal: string | null;
      retry_after_s: number | null;
    }
  | { decision: "answer"; status: number; headers: string; body: string }
  | { decision: "wait"; fetches: Fetch[] };

/** A denial or an answer, or the documents that the decision waits for. */
export function readDecision(text: string): Denial | Answer | Fetch[] {
  const written: Written = JSON.parse(text);
  if (written.decision === "wait") return written.fetches;
  if (written.decision === "answer") return readAnswer(written);
  const { code, status, message, challenge, claim, principal, retry_after_s } = written;
  return { allow: false, code, status, message, challenge, claim, principalName: principal, retryAfterS: retry_after_s };
}

/** The headers are one `name: value` a line. */
function readAnswer({ status, headers, body }: Written & { decision: "answer" }): Answer {
  const lines = headers.split("\n").filter((line) => line !== "");
  return { allow: false, code: null, status, headers: lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)] as const), body };
}

/** The changes of one request: the module writes one shape for all kinds. */
export function readChanges(text: string): readonly Change[] {
  const written: { kind: Change["kind"]; name: string; value: string }[] = JSON.parse(text);
  const changes = written.map(({ kind, name, value }): Change => {
    if (kind === "set_target") return { kind, target: value };
    return kind === "set_header" ? { kind, name, value } : { kind, name };
  });
  return Object.freeze(changes.map((change) => Object.freeze(change)));
}

/** The result of supplying a document. */
export type Supplied =
  | { readonly outcome: "accepted"; readonly skipped: readonly Problem[] }
  | { readonly outcome: "refused"; readonly problem: Problem }
  /** Continue with the next slice. */
  | { readonly outcome: "unfinished" }
  /** The document now has another address: nothing has changed. */
  | { readonly outcome: "outdated" };

/** The state of a document. */
export interface DocumentStatus {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: Fetch["kind"];
  /** Empty until the discovery document gives it. */
  readonly uri: string;
  /** Milliseconds since it was last accepted; `null` if it never was. */
  readonly ageMs: number | null;
  /** The number of failed fetches since then. */
  readonly failures: number;
  /** Whether decisions may still use it. */
  readonly usable: boolean;
  /** Why the last fetched document was refused, or which parts of it are not used. */
  readonly problems: readonly Problem[];
}

export function readStatus(text: string, problems: (issuer: string, kind: Fetch["kind"]) => readonly Problem[]): DocumentStatus[] {
  const written: (Omit<DocumentStatus, "ageMs" | "problems"> & { age_ms: number | null })[] = JSON.parse(text);
  return written.map(({ age_ms, ...document }) => ({ ...document, ageMs: age_ms, problems: problems(document.issuer, document.kind) }));
}

/** A decoded token that is not verified. Never use it as a decision. */
export interface Inspection {
  /** `null` if it could not be decoded. */
  readonly header: { readonly [member: string]: unknown } | null;
  readonly claims: { readonly [claim: string]: unknown } | null;
  /** The original text: large numbers keep their digits. */
  readonly headerText: string | null;
  readonly claimsText: string | null;
  readonly signatureBytes: number | null;
  /** The code of the first error in the token's format; `null` if there is none. */
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

/** One check of a decision. It may contain values of claims. */
export interface Step {
  readonly check: string;
  readonly verdict: "pass" | "fail" | "skip" | "wait";
  /** Set if the verdict is `fail`. */
  readonly code: Code | null;
  /** What was compared. */
  readonly detail: string;
}
