// Converts the module's JSON to the package's types.

import type { Code } from "./code.js";
import type { Answer, Change, Denial } from "./decision.js";
import type { Fetch, Need, Outgoing } from "./documents.js";
import type { Problem } from "./error.js";
import { type DecisionEvent, present } from "./events.js";
import type { UsedProof } from "./proofs.js";

/** A question whether a proof is used for the first time. */
export interface AskedProof extends UsedProof {
  readonly ticket: number;
}

/** What a decision waits for. */
export interface Wait {
  readonly needs: Need[];
  readonly proofs: readonly AskedProof[];
}

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
      nonce: string | null;
    }
  | { decision: "answer"; status: number; headers: string; body: string }
  | { decision: "wait"; fetches: Fetch[]; requests: Outgoing[]; proofs: { ticket: number; id: string; owner: string; expires_ms: number }[] };

/** A denial or an answer, or what the decision waits for. */
export function readDecision(text: string): Denial | Answer | Wait {
  const written: Written = JSON.parse(text);
  if (written.decision === "wait") return readWait(written);
  if (written.decision === "answer") return readAnswer(written);
  const { code, status, message, challenge, claim, principal, retry_after_s, nonce } = written;
  return { allow: false, code, status, message, challenge, claim, principalName: principal, retryAfterS: retry_after_s, nonce };
}

function readWait({ fetches, requests, proofs }: Written & { decision: "wait" }): Wait {
  return { needs: [...fetches, ...requests], proofs: proofs.map(({ expires_ms, ...proof }) => ({ ...proof, expiresMs: expires_ms })) };
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

/** What the module says about its last decision. */
export interface Facts {
  readonly about: Pick<DecisionEvent, "rule" | "issuer" | "tokenType" | "remembered" | "subjectRef">;
  /** A hash of what an allowed request brings to its backend; `null` if it was not asked for. */
  readonly effects: string | null;
}

export const NO_FACTS: Facts = { about: {}, effects: null };

export function readFacts(text: string): Facts {
  const { rule, issuer, token_type, remembered, subject_ref, effects } = JSON.parse(text);
  return { about: { rule: rule && present(rule), issuer, tokenType: token_type, remembered, subjectRef: subject_ref }, effects };
}

/** The result of supplying a document. */
export type Supplied =
  | { readonly outcome: "accepted"; readonly used: number; readonly skipped: readonly Problem[] }
  | { readonly outcome: "refused"; readonly problem: Problem }
  /** Continue with the next slice. */
  | { readonly outcome: "unfinished" }
  /** The document now has another address: nothing has changed. */
  | { readonly outcome: "outdated" };

/** The state of a document, or of the introspection of an issuer that was asked about a token. */
export interface DocumentStatus {
  /** The issuer's name in the policy. */
  readonly issuer: string;
  readonly kind: Fetch["kind"] | "introspection";
  /** Empty until the discovery document gives it. */
  readonly uri: string;
  /** Milliseconds since it, or an answer, was last accepted; `null` if it never was. */
  readonly ageMs: number | null;
  /** The number of failed fetches, or requests, since then. */
  readonly failures: number;
  /** Whether decisions may still use it. */
  readonly usable: boolean;
  /** Whether the gate is not ready before it was accepted once. */
  readonly needed: boolean;
  /** Why the last fetched document, or answer, was refused, or which parts of the document are not used. */
  readonly problems: readonly Problem[];
}

export function readStatus(text: string, problems: (issuer: string, kind: Fetch["kind"]) => readonly Problem[]): (DocumentStatus & Pick<Fetch, "kind">)[] {
  const written: (Omit<DocumentStatus, "ageMs" | "problems"> & Pick<Fetch, "kind"> & { age_ms: number | null })[] = JSON.parse(text);
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
  /** What that error is, in words. It may contain parts of the token. */
  readonly detail: string | null;
}

export function readInspection(text: string): Inspection {
  const { header, claims, signature_bytes, fault, detail } = JSON.parse(text);
  return {
    header: JSON.parse(header ?? "null"),
    claims: JSON.parse(claims ?? "null"),
    headerText: header,
    claimsText: claims,
    signatureBytes: signature_bytes,
    fault,
    detail,
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
