// What every entry of the package exports in addition to `createGate`.

export { CODES, type Code } from "./code.js";
export type { Connection } from "./connection.js";
export type { Verifier } from "./cryptography.js";
export type { Answer, Change, Decision, Denial, Grant } from "./decision.js";
export type { Fetcher } from "./documents.js";
export type { Comparison, DecisionEvent, DocumentEvent, FetchFault } from "./events.js";
export { CountersignError, type Problem } from "./error.js";
export type { CreateGate } from "./create.js";
export type { Gate } from "./gate.js";
export type { Lint } from "./lint.js";
export type { Context, Options } from "./options.js";
export type { AnyPolicy, Policy, Requirement } from "./policies.js";
export type { Json, Principal } from "./principal.js";
export type { PolicySource, SourceStatus } from "./policy-source.js";
export type { ProofStore, UsedProof } from "./proofs.js";
export type { Head } from "./request.js";
export { readyResponse } from "./ready.js";
export type { Secrets } from "./secrets.js";
export type { ComparisonCount, GateStatus, ShadowStatus } from "./status.js";
export type { GateDocument } from "./stored.js";
export { answer, withGrant, withTarget } from "./answer.js";
export type { DocumentStatus, Inspection, Step } from "./written.js";
