// Code that the types must accept, and code that they must refuse. It is only compiled.

import { answer, type Code, createGate, type Decision, type Policy, type Requirement } from "countersign";
import { countersign as express } from "countersign/express";
import { countersign as fastify } from "countersign/fastify";
import { countersign as hono } from "countersign/hono";
import { caller, protect } from "countersign/next";
import { DecisionLog } from "countersign/decision-log";
import { telemetry } from "countersign/opentelemetry";
import { redisProofs } from "countersign/redis";
import { shadow } from "countersign/shadow";
import { signedPolicy } from "countersign/signed-policy";

const policy: Policy = {
  contract: "1",
  issuers: [{ name: "a", issuer: "https://a.example", audiences: ["a"], algorithms: ["RS256"], keys: { discovery: true } }],
  rules: [{ path: "/**", require: { tenant: "present" } }],
};

// @ts-expect-error: no such contract
const wrong: Policy = { ...policy, contract: "2" };
// @ts-expect-error: no such code
const code: Code = "token_mising";

export async function use(): Promise<string | Response> {
  const gate = await createGate(policy, { waitMs: 100, signatures: "native" });
  // @ts-expect-error: no such cryptography
  await createGate(policy, { signatures: "openssl" });
  await createGate(policy, { secrets: { a: "text", b: new Uint8Array(32) }, proofs: async ({ id, owner, expiresMs }) => id !== owner && expiresMs > 0 });
  await createGate(policy, { proofs: redisProofs({ set: async () => "OK" }, "proofs:") });
  // @ts-expect-error: a secret that may be absent
  await createGate(policy, { secrets: { a: undefined as string | undefined } });
  // @ts-expect-error: no answer
  await createGate(policy, { proofs: async () => "OK" });
  await gate.check({ method: "GET", authority: "", target: "/", headers: [], connection: { scheme: "https", certificate: new Uint8Array(32), peer: "10.0.0.1" } });
  await gate.verifyAgain("a.b.c", { scopes: ["a"] });
  const log = new DecisionLog({ write: (lines) => lines.length });
  await createGate(signedPolicy({ url: "https://a.example", trust: { keys: [], policy: "a", audience: "b" } }), { ...telemetry({ log }), onDecision: log.record, shadow: shadow(policy), readyMs: 10 });
  // @ts-expect-error: a policy alone is no candidate
  await createGate(policy, { shadow: policy });
  // @ts-expect-error: a source is no policy to reload
  await gate.reload(signedPolicy({ url: "https://a.example", trust: { keys: [], policy: "a", audience: "b" } }));
  await createGate({ ...policy, rules: [{ path: "/**", require: {}, name: "all" }] }, { onDecision: ({ rule, tokenType, comparison }) => [rule?.name, tokenType, comparison === "would_deny"] });
  const verifier: string = gate.verifier.name;
  const requirement: Requirement = { scopes: ["a"] };
  const decision: Decision = await gate.verify("a.b.c", requirement);
  // @ts-expect-error: only a grant has a principal
  decision.principal;
  if (!decision.allow) return decision.code === "token_missing" ? `${decision.principalName ?? decision.nonce ?? "user"}: ${decision.message}` : answer(decision);
  // @ts-expect-error: it is read-only
  decision.principal!.roles.push("admin");
  const { principal, principals } = decision;
  // @ts-expect-error: it is read-only
  principals.service = principal!;
  const tenants: readonly string[] = principals["service"]?.tenants ?? [];
  return principal?.subject ?? tenants[0] ?? verifier;
}

export const all = [wrong, code, express, fastify, hono, caller, protect];
