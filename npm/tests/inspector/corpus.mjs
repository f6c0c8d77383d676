// A sample of the conformance corpus: the page shows the results of the package.

import { readdirSync, readFileSync } from "node:fs";
import { createGate } from "countersign";
import { equal } from "../assert.mjs";
import { ask, seen } from "./page.mjs";

const folder = new URL("../../../tests/conformance/vectors/", import.meta.url);
/** The number of vectors for each outcome. */
const EACH = 3;

export const corpus = (inspector) => ({
  async "it shows the checks that the package explains, for a sample of the corpus"() {
    await inspector.with(async (page) => {
      const sample = requests();
      equal(new Set(sample.map(({ outcome }) => outcome)).size > 20, true);
      for (const { id, policy, request, at } of sample) {
        const gate = await createGate(policy, { now: () => at });
        const told = gate.explain(request).map(({ check, verdict, detail, code }) => ({ check, verdict, detail: detail.replaceAll("`", "") + (code === null ? "" : ` ${code}`) }));
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

  async "it shows what the package verifies, for tokens without a request"() {
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

/** The vectors with keys in the policy, which need no secret of the host. */
function vectors() {
  const topics = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")));
  const all = topics.flatMap((topic) => topic.vectors).filter(({ signatures, secrets }) => signatures !== "native" && secrets === undefined);
  const standing = all.filter(({ policy }) => policy?.issuers?.every(({ keys, revocations }) => (keys?.jwks || keys?.secrets) && !revocations));
  return standing.flatMap(({ id, policy, steps = [] }) => steps.map((step) => ({ id, policy: JSON.stringify(policy), ...step, outcome: step.expect?.deny?.code ?? "allow" })));
}

function requests() {
  const plain = /^[!-~]([ -~]*[!-~])?$/;
  // The page knows nothing about a connection.
  const fits = ({ method, authority, target, headers, connection }) =>
    connection === undefined && plain.test(method) && isText(target) && plain.test(target) && target.startsWith("/") && /^[a-z0-9.:-]*$/.test(authority) && headers.flat().every((text) => isText(text) && plain.test(text));
  return sample(vectors().filter(({ request }) => request && fits(request)));
}

function tokens() {
  return sample(vectors().filter(({ token, requirement }) => requirement === undefined && isText(token) && /^[A-Za-z0-9._-]+$/.test(token)));
}

/** Bytes that are not UTF-8 are an object. */
const isText = (bytes) => typeof bytes === "string";

function sample(vectors) {
  const taken = new Map();
  return vectors.filter(({ outcome }) => {
    taken.set(outcome, (taken.get(outcome) ?? 0) + 1);
    return taken.get(outcome) <= EACH;
  });
}
