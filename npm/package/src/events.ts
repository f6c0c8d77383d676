// What a gate tells its operator. docs/events.md has the same shapes for every host.

import type { Code } from "./code.js";
import type { Decision } from "./decision.js";
import type { Document } from "./documents.js";
import type { Facts } from "./written.js";

/**
 * One decision. It contains no token, no key, no value of a claim, and no path or query of a request. A member without a value is absent.
 */
export interface DecisionEvent {
  /** `answer`: the gate has answered the request itself. */
  readonly decision: "allow" | "deny" | "answer";
  /** Of a denial. */
  readonly code?: Code;
  /** Of a denial or an answer: the HTTP status. */
  readonly status?: number;
  /** Of a denial: the name of the claim or header member that failed. */
  readonly claim?: string;
  /** Of a denial: the name of the principal whose token failed, if that is not the user. */
  readonly principal?: string;
  /** The rule that matched: its index in `rules` from 0, its name, and the pattern that matched. */
  readonly rule?: { readonly index: number; readonly name?: string; readonly path: string };
  /** The policy's name of the issuer to which the user's token was assigned, whether it was good or not. */
  readonly issuer?: string;
  /** The type of the user's token, once its signature held. */
  readonly tokenType?: string;
  /** Whether the user's token was remembered; absent if no token was verified. */
  readonly remembered?: boolean;
  /** Milliseconds for which the decision waited for documents, requests and proofs. */
  readonly waitedMs: number;
  /** `observed`: the adapter decides and enforces nothing. `shadow`: the decision of a candidate. */
  readonly mode: "enforced" | "observed" | "shadow";
  /** Only in the mode `shadow`. */
  readonly comparison?: Comparison;
  /** Identifies the subject to those who have the option `subjectKey`; only after the signature held. */
  readonly subjectRef?: string;
  /** The SHA-256 of the policy that decided, in its canonical form: 64 hexadecimal digits. */
  readonly policyDigest: string;
  /** The SHA-256 of the file that decided; absent with the option `module`. */
  readonly moduleDigest?: string;
}

/**
 * The candidate's decision beside the one in force. `would_allow` and `would_deny`: what would change with it. `differs`: both allow with other effects, both
 * deny with another code, or one allows what the other answers. `not_compared`: it could not decide without waiting, or one of the two is a 503.
 */
export type Comparison = "agree" | "would_allow" | "would_deny" | "differs" | "not_compared";

/** Why a document did not come. */
export type FetchFault = "dns" | "connection" | "tls" | "timeout" | "status" | "redirect" | "too_large";

/** One fetch of a document. It contains no address and nothing of the document. A member without a value is absent. */
export interface DocumentEvent {
  readonly kind: Document["kind"];
  /** The issuer's name in the policy. */
  readonly issuer: string;
  /** `refused`: it came and cannot be used. `failed`: it did not come. */
  readonly outcome: "accepted" | "refused" | "failed";
  /** Not of `accepted`. Runtimes that do not say why a fetch failed give `connection`. */
  readonly reason?: FetchFault | "refused";
  /** The HTTP status, or the code of the problem and its place. */
  readonly detail?: string;
  /** Milliseconds since the document that is in force now was accepted; absent if there is none. */
  readonly ageMs?: number;
  /** Of `accepted`: how many keys or entries are used. */
  readonly used?: number;
  /** Of `accepted`: how many problems say what is not used. */
  readonly skipped?: number;
  readonly mode: "enforced" | "shadow";
  readonly policyDigest: string;
}

type Circumstances = Pick<DecisionEvent, "waitedMs" | "mode" | "policyDigest"> & { comparison?: Comparison; moduleDigest?: string | undefined };

export function decisionEvent(decision: Decision, { about }: Facts, circumstances: Circumstances): DecisionEvent {
  return present<DecisionEvent>(outcomeOf(decision), about, circumstances);
}

function outcomeOf(decision: Decision) {
  if (decision.allow) return { decision: "allow" as const };
  if (decision.code === null) return { decision: "answer" as const, status: decision.status };
  const { code, status, claim, principalName: principal } = decision;
  return { decision: "deny" as const, code, status, claim, principal };
}

type Absent<Shape> = { readonly [Name in keyof Shape]?: Shape[Name] | null | undefined };

/** The members of all parts that have a value. A loop, because it runs for each decision that is told: spreads take three times as long. */
export function present<Shape extends object>(...parts: readonly Absent<Shape>[]): Shape {
  const shape: { -readonly [Name in keyof Shape]?: Shape[Name] } = {};
  for (const part of parts) {
    for (const name in part) {
      const value = part[name];
      if (value !== null && value !== undefined) shape[name] = value;
    }
  }
  return shape as Shape;
}
