// Calls the package, which makes all decisions.

import { answer, type Code, CountersignError, createGate, type Decision, type Gate, type Head, type Inspection, lint, type Problem, type Step } from "countersign";
import { carry, credentialsOf } from "./carry.js";
import { fetcher, type Pasted } from "./documents.js";
import { type KeyText, readKeys } from "./paste/key-text.js";
import { placeholders, unknownSecrets } from "./secrets.js";
import { type Credential, type Located, type Opened, read, type Source } from "./policy.js";

/** The values of the form. */
export interface Input {
  /** Empty if there is none. */
  readonly token: string;
  /** YAML or JSON; empty if there is none. */
  readonly policy: string;
  /** A key set, or keys in another form; empty if there are none. */
  readonly keys: string;
  readonly revocations: string;
  /** The request without the token; absent to check only the token. */
  readonly request: Head | undefined;
  readonly nowMs: number;
}

/** Everything that the page shows for an input. */
export interface Result {
  readonly keys: KeyText;
  readonly token: string;
  /** Absent without a token. */
  readonly inspection: Inspection | undefined;
  readonly nowMs: number;
  /** The policy in force; absent if there is none, or if it has problems. */
  readonly policy: Opened | undefined;
  /** The policy's text, and the places in it; absent if it cannot be read. */
  readonly text: string;
  readonly source: Source | undefined;
  /** The problems of the policy's text, for which it is refused. */
  readonly problems: readonly Located[];
  /** What the policy says but probably does not mean. */
  readonly warnings: readonly Located[];
  /** Absent without a valid policy, and without a token or a request. */
  readonly outcome: Outcome | undefined;
}

export interface Outcome {
  /** Whether there was no request, only a token. */
  readonly tokenOnly: boolean;
  readonly decision: Decision;
  readonly steps: readonly Step[];
  /** The response to a denied request. */
  readonly response: ClientResponse | undefined;
  /** The problems of the pasted documents. */
  readonly documentProblems: readonly DocumentProblem[];
  /** Set if the decision needs documents that were not pasted. Then `decision` is not a decision about the input. */
  readonly missing: { readonly what: "keys" | "revocations"; readonly uris: readonly string[] } | undefined;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface DocumentProblem extends Problem {
  readonly kind: string;
}

/** Decodes a token without verifying it. */
export async function decode(token: string): Promise<Inspection | undefined> {
  return token === "" ? undefined : (await inspector).inspect(token);
}

export async function evaluate(input: Input): Promise<Result> {
  const { token, nowMs, policy: text, revocations } = input;
  const inspection = await decode(token);
  const kid = typeof inspection?.header?.["kid"] === "string" ? inspection.header["kid"] : undefined;
  const keys = await readKeys(input.keys, kid);
  const result = { keys, token, inspection, nowMs, text, source: undefined, policy: undefined, problems: [], warnings: [], outcome: undefined };
  if (text.trim() === "") return result;
  const source = read(text);
  if (!("json" in source)) return { ...result, problems: source };
  // The original text, so that problems have their original places.
  const found = (await problemsOf(source.json)).map((problem) => ({ ...problem, span: source.span(problem.pointer) }));
  const [problems, warnings] = (["error", "warning"] as const).map((severity) => found.filter((one) => one.severity === severity)) as [Located[], Located[]];
  if (problems.length > 0) return { ...result, source, problems, warnings };
  const policy: Opened = JSON.parse(source.json);
  if (!input.request && token === "") return { ...result, source, warnings, policy };
  return { ...result, source, warnings, policy, outcome: await decide(policy, input, { keys: keys.set, keysText: input.keys, kid, revocations }) };
}

/** What a linter finds, and then what this page, as a host, cannot open. */
async function problemsOf(json: string): Promise<readonly Problem[]> {
  const found = await lint(json);
  if (found.some(({ severity }) => severity === "error")) return found;
  try {
    (await createGate(json, { secrets: placeholders(json) })).close();
    return [...found, ...unknownSecrets(json)];
  } catch (error) {
    if (error instanceof CountersignError) return [...found, ...error.problems];
    throw error;
  }
}

async function decide(policy: Opened, { token, request, nowMs }: Input, pasted: Pasted): Promise<Outcome> {
  const json = JSON.stringify(request ? policy : { ...policy, ...TOKEN_ONLY, credentials: placesOf(policy) });
  const inForce: Opened = JSON.parse(json);
  const gate = await createGate(json, { secrets: placeholders(json), fetch: fetcher(policy, pasted), now: () => nowMs });
  try {
    const bare = request ?? NO_REQUEST;
    const sent = carry(bare, token, credentialsOf(inForce, gate.explain(bare)));
    const waiting = gate.explain(sent);
    // Loads the documents.
    const decision = await gate.check(sent);
    const lacking = missing(gate, decision, pasted);
    return {
      tokenOnly: request === undefined,
      decision,
      steps: lacking ? waiting : gate.explain(sent),
      response: decision.allow ? undefined : await readAnswer(answer(decision)),
      documentProblems: documentProblems(gate, pasted),
      missing: lacking,
    };
  } finally {
    gate.close();
  }
}

async function readAnswer(response: Response): Promise<ClientResponse> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

/** The gate explains only requests: a token without a request is checked as a request under a policy with one rule. What other rules need is left out. */
const TOKEN_ONLY = { rules: [{ path: "/**", require: {} }], several: undefined, forward: undefined, challenge: undefined };
const BEARER: Credential = { header: "authorization", scheme: "Bearer" };
const DPOP: Credential = { header: "authorization", scheme: "DPoP" };
/** An issuer whose tokens are bound to a key needs a place for them. Without a request nobody has that key. */
const placesOf = (policy: Opened) => (/"scheme":"dpop"/i.test(JSON.stringify(policy)) ? [BEARER, DPOP] : [BEARER]);
const NO_REQUEST: Head = { method: "GET", authority: "", target: "/", headers: [] };

function missing(gate: Gate, decision: Decision, pasted: Pasted): Outcome["missing"] {
  const code: Code | null = decision.allow ? null : decision.code;
  const uris = (isOf: (kind: string) => boolean) => gate.status().documents.flatMap(({ kind, uri }) => (isOf(kind) && uri !== "" ? [uri] : []));
  if (code === "keys_unavailable" && pasted.keys === "") return { what: "keys", uris: uris((kind) => kind === "discovery" || kind === "jwks") };
  if (code === "revocations_unavailable" && pasted.revocations === "") return { what: "revocations", uris: uris((kind) => kind === "revocations") };
  return undefined;
}

/** The problems of the pasted documents, each once: the same text is used for every issuer. */
function documentProblems(gate: Gate, pasted: Pasted): DocumentProblem[] {
  const unique = new Map<string, DocumentProblem>();
  for (const { kind, problems } of gate.status().documents) {
    // Nothing is pasted for these.
    if (kind === "api_keys" || kind === "introspection") continue;
    if ((kind === "revocations" ? pasted.revocations : pasted.keys) === "") continue;
    for (const problem of problems) unique.set(`${kind} ${problem.pointer} ${problem.message}`, { ...problem, kind });
  }
  return [...unique.values()];
}

/** `inspect` needs a gate, and a gate needs an issuer. This gate makes no decisions. */
const inspector = createGate({
  contract: "1",
  issuers: [{ name: "none", issuer: "none", audiences: "any", algorithms: ["EdDSA"], keys: { jwks_uri: "https://none.invalid/" } }],
});
