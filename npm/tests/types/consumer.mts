// Code that the types must accept, and code that they must refuse. It is only compiled.

import { answer, type Code, createGate, type Decision, type Policy, type Requirement } from "countersign";
import { countersign as express } from "countersign/express";
import { countersign as fastify } from "countersign/fastify";
import { countersign as hono } from "countersign/hono";
import { caller, protect } from "countersign/next";

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
  const gate = await createGate(policy, { waitMs: 100 });
  const requirement: Requirement = { scopes: ["a"] };
  const decision: Decision = await gate.verify("a.b.c", requirement);
  // @ts-expect-error: only a grant has a principal
  decision.principal;
  if (!decision.allow) return decision.code === "token_missing" ? `${decision.principalName ?? "user"}: ${decision.message}` : answer(decision);
  // @ts-expect-error: it is read-only
  decision.principal!.roles.push("admin");
  const { principal, principals } = decision;
  // @ts-expect-error: it is read-only
  principals.service = principal!;
  const tenants: readonly string[] = principals["service"]?.tenants ?? [];
  return principal?.subject ?? tenants[0] ?? "nobody";
}

export const all = [wrong, code, express, fastify, hono, caller, protect];
