// Compiles the code of the README.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { equal } from "../assert.mjs";
import { policy } from "../issuer.mjs";
import { run } from "../run.mjs";

const tests = fileURLToPath(new URL("../", import.meta.url));
const readme = ["README.md", "NEXT.md"].map((name) => readFileSync(`${tests}../package/${name}`, "utf8")).join("\n");
const blocks = [...readme.matchAll(/^```(tsx?|js)\n([^]*?)^```$/gm)].map(([, language, code]) => ({ language, code }));

const POLICY = 'import type { Policy } from "countersign";\nexport declare const policy: Policy;\n';
/** Next.js is installed in the example. */
const NEXT = 'declare module "next" { export interface NextConfig { skipProxyUrlNormalize?: boolean } }\n';
const OPTIONS = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: "es2022",
  lib: ["es2022", "dom", "dom.iterable", "esnext.disposable"],
  module: "esnext",
  moduleResolution: "bundler",
  resolveJsonModule: true,
  jsx: "react-jsx",
  skipLibCheck: true,
  types: ["node"],
};

export async function open() {
  return { name: "the README", play: () => run(lines), close() {} };
}

/** Compiles files, each in its own folder with a policy, and returns the errors. */
function compile(files) {
  const folder = `${tests}node_modules/.readme`;
  rmSync(folder, { recursive: true, force: true });
  files.forEach(({ language, code, json = policy }, index) => {
    mkdirSync(`${folder}/${index}`, { recursive: true });
    writeFileSync(`${folder}/${index}/block.${language}`, code);
    writeFileSync(`${folder}/${index}/policy.ts`, POLICY);
    writeFileSync(`${folder}/${index}/policy.json`, JSON.stringify(json));
  });
  writeFileSync(`${folder}/next.d.ts`, NEXT);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: OPTIONS, include: ["*.d.ts", "*/*.ts", "*/*.tsx"] }));
  const tsc = `${tests}../package/node_modules/typescript/bin/tsc`;
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { cwd: folder });
    return "";
  } catch (error) {
    return String(error.stdout);
  }
}

const OPENS = 'import { createGate } from "countersign";\nimport policy from "./policy.json" with { type: "json" };\nexport const gate = createGate(policy);\n';

const lines = {
  async "every block is TypeScript that compiles"() {
    equal([blocks.length >= 13, blocks.filter(({ language }) => language === "js").length], [true, 0]);
    equal(compile(blocks), "");
  },

  async "policies of JSON files compile, but not one with a misspelt member"() {
    const files = [policy, { ...policy, issuers: [...policy.issuers, { ...policy.issuers[0], name: "b", issuer: "https://b.example", leeway_s: 5, token_types: [{ name: "pat", claim: { typ: "pat", level: 3, active: true } }] }] }, { contract: "1", issuers: policy.issuers, rules: [{ path: ["/a", "/b"], optional: true }, { path: "/c", require: { any_of: [{ scopes: ["x"] }, { roles: { any: ["y"] } }] } }] }];
    equal(compile(files.map((json) => ({ language: "ts", code: OPENS, json }))), "");
    const misspelt = { ...policy, issuers: [{ ...policy.issuers[0], audience: ["a"], audiences: undefined }] };
    equal(compile([{ language: "ts", code: OPENS, json: misspelt }]).includes("error TS"), true);
  },
};
