// Policies in YAML: the cases that every host reads alike.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { CountersignError, createGate } from "countersign";
import { fromYaml } from "countersign/yaml";
import { equal, ok, rejects } from "../assert.mjs";
import { run } from "../run.mjs";

const cases = JSON.parse(readFileSync(new URL("../../../tests/yaml/cases.json", import.meta.url), "utf8"));

const POLICY = `contract: "1"
issuers:
  - name: platform
    issuer: https://auth.example.com
    audiences: [platform]
    algorithms: [RS256]
    keys: { jwks_uri: "https://auth.example.com/.well-known/jwks.json" }
rules:
  - { path: /healthz, public: true }
`;

export async function open() {
  return { name: "policies as YAML", play: () => run({ ...all(fromYaml, CountersignError), ...use }), close() {} };
}

function all(read, fault) {
  const tests = {};
  for (const one of cases) tests[`${one.id}: ${one.refused ?? "is read"}`] = async () => ("json" in one ? equal(isDeepStrictEqual(JSON.parse(read(one.yaml)), one.json), true) : refused(read, fault, one));
  return tests;
}

async function refused(read, fault, { yaml, line }) {
  const error = await rejects((async () => read(yaml))(), fault);
  equal(error.problems[0].code, "yaml_invalid");
  if (line) equal(error.message.includes(`line ${line}, column `), true);
}

const use = {
  async "the list of cases is complete, and their IDs are unique"() {
    equal([cases.length >= 374, new Set(cases.map(({ id }) => id)).size], [true, cases.length]);
  },

  async "a gate opens with it, also through `require`"() {
    const { fromYaml: required } = createRequire(import.meta.url)("countersign/yaml");
    for (const read of [fromYaml, required]) {
      const gate = await createGate(read(POLICY));
      ok(gate.checkSync(new Request("https://api.example.com/healthz")));
      gate.close();
    }
  },

  async "numbers keep their digits"() {
    equal(fromYaml("a: 12345678901234567890\nb: 1.10\n"), '{"a":12345678901234567890,"b":1.10}');
  },

  async "a value that is not a text is refused too, and an error has its place"() {
    for (const odd of [undefined, null, 7, {}, new Uint8Array(3)]) await rejects((async () => fromYaml(odd))(), CountersignError);
    const error = await rejects((async () => fromYaml("a: 1\nb:\n  country: no\n"))(), CountersignError);
    equal(error.message.includes("line 3, column 12: "), true);
  },
};
