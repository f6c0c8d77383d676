// A sample of the conformance corpus: the page says what the package says.

import { readdirSync, readFileSync } from "node:fs";
import { createGate } from "countersign";
import { equal } from "../assert.mjs";
import { ask, seen } from "./page.mjs";

const folder = new URL("../../../tests/conformance/vectors/", import.meta.url);
/** Vectors for each outcome. */
const EACH = 3;

export const corpus = (inspector) => ({
  async "of a sample of the corpus it shows the checks that the package explains"() {
    await inspector.with(async (page) => {
      const sample = requests();
      equal(new Set(sample.map(({ outcome }) => outcome)).size > 20, true);
      for (const { id, policy, request, at } of sample) {
        const gate = await createGate(policy, { now: () => at });
        const told = gate.explain(request).map(({ check, verdict, saw, code }) => ({ check, verdict, saw: saw.replaceAll("`", "") + (code === null ? "" : ` ${code}`) }));
        const decision = gate.checkSync(request);
        gate.close();
        await ask(page, {
          policy,
          method: request.method,
          target: request.authority === "" ? request.target : `https://${request.authority}${request.target}`,
          headers: request.headers.map(([name, value]) => `${name}: ${value}`).join("\n"),
          time: new Date(at).toISOString(),
        });
        const { headline, code, steps } = await seen(page);
        equal([id, steps], [id, told]);
        equal([id, headline, code], [id, decision.allow ? "Allowed" : "Denied", decision.allow ? null : decision.code]);
      }
    });
  },

  async "of tokens alone it shows what the package verifies"() {
    await inspector.with(async (page) => {
      for (const { id, policy, token, at } of tokens()) {
        const gate = await createGate(policy, { now: () => at });
        const decision = await gate.verify(token);
        gate.close();
        await ask(page, { policy, token, time: new Date(at).toISOString() });
        const { headline, code } = await seen(page);
        equal([id, headline, code], [id, decision.allow ? "Allowed" : "Denied", decision.allow ? null : decision.code]);
      }
    });
  },
});

/** With keys in the policy, and of characters that a form takes as they are. */
function vectors() {
  const topics = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")));
  const all = topics.flatMap((topic) => topic.vectors);
  const standing = all.filter(({ policy }) => policy?.issuers?.every(({ keys, revocations }) => (keys?.jwks || keys?.secrets) && !revocations));
  return standing.flatMap(({ id, policy, steps = [] }) => steps.map((step) => ({ id, policy: JSON.stringify(policy), ...step, outcome: step.expect?.deny?.code ?? "allow" })));
}

function requests() {
  const plain = /^[!-~]([ -~]*[!-~])?$/;
  const fits = ({ method, authority, target, headers }) =>
    plain.test(method) && isText(target) && plain.test(target) && target.startsWith("/") && /^[a-z0-9.:-]*$/.test(authority) && headers.flat().every((text) => isText(text) && plain.test(text));
  return sample(vectors().filter(({ request }) => request && fits(request)));
}

function tokens() {
  return sample(vectors().filter(({ token, requirement }) => requirement === undefined && isText(token) && /^[A-Za-z0-9._-]+$/.test(token)));
}

/** What is no UTF-8 is an object. */
const isText = (bytes) => typeof bytes === "string";

function sample(vectors) {
  const taken = new Map();
  return vectors.filter(({ outcome }) => {
    taken.set(outcome, (taken.get(outcome) ?? 0) + 1);
    return taken.get(outcome) <= EACH;
  });
}
