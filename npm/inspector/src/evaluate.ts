// Calls the package, which makes all decisions.

import { answer, type Code, CountersignError, createGate, type Decision, type Gate, type Head, type Inspection, type Problem, type Step } from "countersign";
import { fetcher, type Pasted } from "./documents.js";
import { type Located, type Opened, read } from "./policy.js";

/** The values of the form. */
export interface Input {
  /** Empty if there is none. */
  readonly token: string;
  /** YAML or JSON; empty if there is none. */
  readonly policy: string;
  readonly pasted: Pasted;
  /** The request without the token; absent to check only the token. */
  readonly request: Head | undefined;
  readonly nowMs: number;
}

/** Everything that the page shows for an input. */
export interface Result {
  /** Absent without a token. */
  readonly inspection: Inspection | undefined;
  readonly nowMs: number;
  /** The policy in force; absent if there is none, or if it has problems. */
  readonly policy: Opened | undefined;
  /** The problems of the policy's text. */
  readonly problems: readonly Located[];
  /** Absent without a valid policy, and without a token or a request. */
  readonly outcome: Outcome | undefined;
}

export interface Outcome {
  /** Whether there was no request, only a token. */
  readonly tokenOnly: boolean;
  readonly decision: Decision;
  readonly steps: readonly Step[];
  /** The response to a request that does not pass. */
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
  readonly kind: "discovery" | "jwks" | "revocations";
}

export async function evaluate(input: Input): Promise<Result> {
  const { token, nowMs } = input;
  const inspection = token === "" ? undefined : (await inspector).inspect(token);
  const result = { inspection, nowMs, policy: undefined, problems: [], outcome: undefined };
  if (input.policy.trim() === "") return result;
  const source = read(input.policy);
  if (!("json" in source)) return { ...result, problems: source };
  try {
    // The original text, so that problems have their original places.
    (await createGate(source.json)).close();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { ...result, problems: error.problems.map((problem) => ({ ...problem, place: source.place(problem.pointer) })) };
  }
  const policy: Opened = JSON.parse(source.json);
  if (!input.request && token === "") return { ...result, policy };
  return { ...result, policy, outcome: await decide(policy, input) };
}

async function decide(policy: Opened, { token, pasted, request, nowMs }: Input): Promise<Outcome> {
  const inForce = request ? policy : { ...policy, ...TOKEN_ONLY };
  const sent = carry(request ?? NO_REQUEST, token, inForce);
  const gate = await createGate(JSON.stringify(inForce), { fetch: fetcher(policy, pasted), now: () => nowMs });
  try {
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

/** The gate explains only requests: a token without a request is checked as a request under a policy with one rule. */
const TOKEN_ONLY = { rules: [{ path: "/**", require: {} }], credentials: [{ header: "authorization", scheme: "Bearer" }] };
const NO_REQUEST: Head = { method: "GET", authority: "", target: "/", headers: [] };

/** The request with the token in the policy's first credential. */
function carry(head: Head, token: string, { credentials }: Pick<Opened, "credentials">): Head {
  if (token === "") return head;
  const { cookie, header = "authorization", scheme = credentials?.[0]?.header ? "" : "Bearer" } = credentials?.[0] ?? {};
  const place: [string, string] = cookie === undefined ? [header, `${scheme} ${token}`.trimStart()] : ["cookie", `${cookie}=${token}`];
  return { ...head, headers: [...head.headers, place] };
}

function missing(gate: Gate, decision: Decision, pasted: Pasted): Outcome["missing"] {
  const code: Code | null = decision.allow ? null : decision.code;
  const uris = (...kinds: string[]) => gate.status().flatMap(({ kind, uri }) => (kinds.includes(kind) && uri !== "" ? [uri] : []));
  if (code === "keys_unavailable" && pasted.keys === "") return { what: "keys", uris: uris("jwks", "discovery") };
  if (code === "revocations_unavailable" && pasted.revocations === "") return { what: "revocations", uris: uris("revocations") };
  return undefined;
}

/** The problems of the pasted documents, each once: the same text is used for every issuer. */
function documentProblems(gate: Gate, pasted: Pasted): DocumentProblem[] {
  const unique = new Map<string, DocumentProblem>();
  for (const { kind, problems } of gate.status()) {
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
