// What every entry of the package exports in addition to `createGate`.

export { CODES, type Code } from "./code.js";
export type { Answer, Change, Decision, Denial, Grant } from "./decision.js";
export type { Fetcher } from "./documents.js";
export { CountersignError, type Problem } from "./error.js";
export type { Context, CreateGate, Gate, Options } from "./gate.js";
export type { AnyPolicy, Policy, Requirement } from "./policies.js";
export type { Json, Principal } from "./principal.js";
export type { Head } from "./request.js";
export type { GateDocument } from "./stored.js";
export { answer, withGrant, withTarget } from "./answer.js";
export type { DocumentStatus, Inspection, Step } from "./written.js";
