// Asks the package. Nothing here decides.

import { answer, type Code, CountersignError, createGate, type Decision, type Gate, type Head, type Inspection, type Problem, type Step } from "countersign";
import { fetcher, type Pasted } from "./documents.js";
import { type Located, type Opened, read } from "./policy.js";

/** What the form says. */
export interface Question {
  /** Empty for none. */
  readonly token: string;
  /** YAML or JSON; empty for none. */
  readonly policy: string;
  readonly pasted: Pasted;
  /** Without the token; absent where the token alone is asked about. */
  readonly request: Head | undefined;
  readonly nowMs: number;
}

/** What comes of it. */
export interface Finding {
  /** Absent without a token. */
  readonly inspection: Inspection | undefined;
  readonly nowMs: number;
  /** The policy in force; absent where there is none, or it has problems. */
  readonly policy: Opened | undefined;
  /** Of the policy's text. */
  readonly problems: readonly Located[];
  /** Absent without a good policy, and where there is nothing to decide about. */
  readonly judgement: Judgement | undefined;
}

export interface Judgement {
  /** No request was asked about. */
  readonly alone: boolean;
  readonly decision: Decision;
  readonly steps: readonly Step[];
  /** What the client of a denied request gets. */
  readonly answered: Answered | undefined;
  /** What was pasted and is not used. */
  readonly troubles: readonly Trouble[];
  /** It hangs on documents that were not pasted: what the page says is no decision. */
  readonly missing: { readonly what: "keys" | "revocations"; readonly uris: readonly string[] } | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Trouble extends Problem {
  readonly kind: "discovery" | "jwks" | "revocations";
}

export async function judge(question: Question): Promise<Finding> {
  const { token, nowMs } = question;
  const inspection = token === "" ? undefined : (await inspector).inspect(token);
  const finding = { inspection, nowMs, policy: undefined, problems: [], judgement: undefined };
  if (question.policy.trim() === "") return finding;
  const source = read(question.policy);
  if (!("json" in source)) return { ...finding, problems: source };
  try {
    // As it was written, so that problems are told at their places.
    (await createGate(source.json)).close();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { ...finding, problems: error.problems.map((problem) => ({ ...problem, place: source.place(problem.pointer) })) };
  }
  const policy: Opened = JSON.parse(source.json);
  if (!question.request && token === "") return { ...finding, policy };
  return { ...finding, policy, judgement: await decide(policy, question) };
}

async function decide(policy: Opened, { token, pasted, request, nowMs }: Question): Promise<Judgement> {
  const inForce = request ? policy : { ...policy, ...ALONE };
  const asked = carry(request ?? NOTHING, token, inForce);
  const gate = await createGate(JSON.stringify(inForce), { fetch: fetcher(policy, pasted), now: () => nowMs });
  try {
    const waiting = gate.explain(asked);
    // Takes in the documents.
    const decision = await gate.check(asked);
    const lacks = missing(gate, decision, pasted);
    return {
      alone: request === undefined,
      decision,
      steps: lacks ? waiting : gate.explain(asked),
      answered: decision.allow ? undefined : await readAnswer(answer(decision)),
      troubles: troubles(gate, pasted),
      missing: lacks,
    };
  } finally {
    gate.close();
  }
}

async function readAnswer(response: Response): Promise<Answered> {
  return { status: response.status, headers: [...response.headers], body: await response.text() };
}

/** The gate explains requests: a token alone is one to a policy with a single rule. */
const ALONE = { rules: [{ path: "/**", require: {} }], credentials: [{ header: "authorization", scheme: "Bearer" }] };
const NOTHING: Head = { method: "GET", authority: "", target: "/", headers: [] };

/** The request with the token in the first place where the policy looks for one. */
function carry(head: Head, token: string, { credentials }: Pick<Opened, "credentials">): Head {
  if (token === "") return head;
  const { cookie, header = "authorization", scheme = credentials?.[0]?.header ? "" : "Bearer" } = credentials?.[0] ?? {};
  const place: [string, string] = cookie === undefined ? [header, `${scheme} ${token}`.trimStart()] : ["cookie", `${cookie}=${token}`];
  return { ...head, headers: [...head.headers, place] };
}

function missing(gate: Gate, decision: Decision, pasted: Pasted): Judgement["missing"] {
  const code: Code | undefined = decision.allow ? undefined : decision.code;
  const uris = (...kinds: string[]) => gate.status().flatMap(({ kind, uri }) => (kinds.includes(kind) && uri !== "" ? [uri] : []));
  if (code === "keys_unavailable" && pasted.keys === "") return { what: "keys", uris: uris("jwks", "discovery") };
  if (code === "revocations_unavailable" && pasted.revocations === "") return { what: "revocations", uris: uris("revocations") };
  return undefined;
}

/** Of documents that were pasted. The same text stands for what every issuer publishes, so that each problem is told once. */
function troubles(gate: Gate, pasted: Pasted): Trouble[] {
  const told = new Map<string, Trouble>();
  for (const { kind, problems } of gate.status()) {
    if ((kind === "revocations" ? pasted.revocations : pasted.keys) === "") continue;
    for (const problem of problems) told.set(`${kind} ${problem.pointer} ${problem.message}`, { ...problem, kind });
  }
  return [...told.values()];
}

/** To look into a token takes a gate, and a gate an issuer. This one is never asked to decide. */
const inspector = createGate({
  contract: "1",
  issuers: [{ name: "nobody", issuer: "nobody", audiences: "any", algorithms: ["EdDSA"], keys: { jwks_uri: "https://nobody.invalid/" } }],
});
