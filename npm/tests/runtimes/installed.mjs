// The package as a user installs it: from the tarball alone, in an empty folder. The code is the code of its README.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execPath, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { equal } from "../assert.mjs";
import { policy } from "../issuer.mjs";
import { run } from "../run.mjs";
import { tarball } from "../tarball.mjs";

const tests = fileURLToPath(new URL("../", import.meta.url));
/** The packages of others that the README uses, and the compiler. They are linked, not downloaded again. */
const OTHERS = ["@redis/client", "express", "fastify", "hono", "ws", "yaml", "@types/express", "@types/node", "@types/react", "@types/ws"];
const COMPILERS = { "TypeScript 7": "../package/node_modules/typescript/bin/tsc", "TypeScript 5.6": "node_modules/typescript/bin/tsc" };

/** Next.js is installed in the example. */
const NEXT = 'declare module "next" { export interface NextConfig { skipProxyUrlNormalize?: boolean } }\n';
const STRICT = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, target: "es2022", lib: ["es2022", "dom", "dom.iterable", "esnext.disposable"], resolveJsonModule: true, types: ["node"] };
/** As a bundler reads it. */
const BUNDLED = { ...STRICT, noEmit: true, module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", skipLibCheck: true };
/** As Node.js runs it. */
const RUN = { ...STRICT, module: "nodenext", skipLibCheck: true };

export async function open() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "countersign-installed-")));
  install(folder);
  const readme = ["README.md", "NEXT.md"].map((name) => readFileSync(`${folder}/node_modules/countersign/${name}`, "utf8")).join("\n");
  const blocks = [...readme.matchAll(/^```(tsx?|js)\n([^]*?)^```$/gm)].map(([, language, code]) => ({ language, code }));
  return { name: "the installed package", play: () => run(installed(folder, blocks)), close: () => rmSync(folder, { recursive: true }) };
}

/** The command of the README, with the file in place of the name. It has no dependencies, so it needs no registry. */
function install(folder) {
  writeFileSync(`${folder}/package.json`, '{ "private": true, "type": "module" }\n');
  copyFileSync(tarball, `${folder}/countersign.tgz`);
  const options = ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", "./countersign.tgz"];
  execFileSync(platform === "win32" ? "npm.cmd" : "npm", options, { cwd: folder, shell: platform === "win32", stdio: ["ignore", "ignore", "inherit"] });
  for (const name of OTHERS) {
    const link = `${folder}/node_modules/${name}`;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(`${tests}node_modules/${name}`), link, "junction");
  }
}

/** Compiles the files of a folder in the installation, and returns the errors. */
function compile(folder, files, compilerOptions, compiler = "TypeScript 7") {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(`${folder}/${name}`), { recursive: true });
    writeFileSync(`${folder}/${name}`, text);
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["**/*.ts", "**/*.tsx"] }));
  try {
    execFileSync(execPath, [`${tests}${COMPILERS[compiler]}`, "-p", folder], { cwd: folder });
    return "";
  } catch (error) {
    return String(error.stdout);
  }
}

/** Files that are compiled only, each in its own folder with a policy. */
function apart(blocks) {
  const each = blocks.map(({ language, code, json = policy }, index) => ({
    [`${index}/block.${language}`]: code,
    [`${index}/policy.ts`]: 'import type { Policy } from "countersign";\nexport declare const policy: Policy;\n',
    [`${index}/policy.json`]: JSON.stringify(json),
    [`${index}/candidate.json`]: JSON.stringify(json),
    [`${index}/trust.json`]: JSON.stringify(TRUST),
  }));
  return Object.assign({ "next.d.ts": NEXT }, ...each);
}

const OPENS = 'import { createGate } from "countersign";\nimport policy from "./policy.json" with { type: "json" };\nexport const gate = createGate(policy);\n';

/** Whose signed policies a block puts in force. */
const TRUST = { keys: [{ kty: "OKP", crv: "Ed25519", kid: "2026-a", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }], policy: "shop", audience: "production" };

/** The policy of the blocks that import one, for the issuer of the README. */
const ME = {
  contract: "1",
  issuers: [{ name: "platform", issuer: "https://auth.example.com", audiences: ["platform"], algorithms: ["RS256"], keys: { jwks_uri: "https://auth.example.com/.well-known/jwks.json" } }],
  rules: [{ path: "/me", require: {} }],
};

function installed(folder, blocks) {
  /** The one block with this text, and what the test needs of it. */
  const block = (text, exported) => {
    const found = blocks.filter(({ code }) => code.includes(text));
    equal([text, found.length], [text, 1]);
    return exported ? `${found[0].code}\nexport { ${exported} };\n` : found[0].code;
  };
  const json = JSON.stringify(ME, null, 2);

  return {
    async "every block of the README is TypeScript that compiles"() {
      equal([blocks.length >= 13, blocks.filter(({ language }) => language === "js").length], [true, 0]);
      for (const compiler of Object.keys(COMPILERS)) equal([compiler, compile(`${folder}/compiled`, apart(blocks), BUNDLED, compiler)], [compiler, ""]);
    },

    async "policies of JSON files compile, but not one with a misspelt member"() {
      const files = [policy, { ...policy, issuers: [...policy.issuers, { ...policy.issuers[0], name: "b", issuer: "https://b.example", leeway_s: 5, token_types: [{ name: "pat", claim: { typ: "pat", level: 3, active: true } }] }] }, { contract: "1", issuers: policy.issuers, rules: [{ path: ["/a", "/b"], optional: true }, { path: "/c", require: { any_of: [{ scopes: ["x"] }, { roles: { any: ["y"] } }] } }] }];
      const opened = files.map((json) => ({ language: "ts", code: OPENS, json }));
      equal(compile(`${folder}/policies`, apart(opened), BUNDLED), "");
      const misspelt = { ...policy, issuers: [{ ...policy.issuers[0], audience: ["a"], audiences: undefined }] };
      equal(compile(`${folder}/policies`, apart([{ language: "ts", code: OPENS, json: misspelt }]), BUNDLED).includes("error TS"), true);
    },

    async "the README's code decides in Node.js"() {
      const program = `${folder}/program`;
      const files = {
        "first.ts": blocks[0].code,
        "files.ts": block('from "./policy.json"'),
        "yaml.ts": block("fromYaml(readFileSync("),
        "express.ts": block('from "countersign/express"', "app"),
        "fastify.ts": block('from "countersign/fastify"', "app"),
        "hono.ts": block('from "countersign/hono"', "app"),
        "sockets.ts": block('from "countersign/node"', "server"),
        "policy.ts": `import type { Policy } from "countersign";\nexport const policy: Policy = ${json};\n`,
        "policy.json": json,
        "policy.yaml": stringify(ME, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" }),
      };
      equal(compile(program, files, RUN), "");
      for (const name of ["decide.mjs", "issuer.mjs", "require.cjs"]) copyFileSync(`${tests}installed/${name}`, `${program}/${name}`);
      const decided = JSON.parse(execFileSync(execPath, ["--no-warnings", "decide.mjs"], { cwd: program, timeout: 30_000 }));
      equal(decided, {
        first: [200, 401, 403],
        files: ["allow", "token_missing"],
        yaml: ["allow", "token_missing"],
        require: ["allow", "token_missing"],
        express: [200, 401],
        fastify: [200, 401],
        hono: [200, 401],
        sockets: ["hello user-1", 401],
      });
    },
  };
}
