// The package as the registry, type checkers and people read it.

import { existsSync, readFileSync } from "node:fs";
import { versions } from "node:process";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { api, known, RENEW } from "../api.mjs";
import { equal } from "../assert.mjs";
import { run } from "../run.mjs";
import { tarball } from "../tarball.mjs";

const at = (name) => fileURLToPath(new URL(`../node_modules/countersign/${name}`, import.meta.url));
const described = () => JSON.parse(readFileSync(at("package.json"), "utf8"));
const REPOSITORY = "https://github.com/countersign/countersign";

export async function open() {
  return { name: "what is published", play: () => run(published), close() {} };
}

/** Files of the package that are no code. */
const ASSETS = ["./countersign.wasm", "./countersign.wasm.sha256"];

/** What the check of the types reports and we do not change, with the reason. Each must be reported. */
const ALLOWED = {
  // `moduleResolution: node10` reads no `exports`. TypeScript 6 deprecates it and TypeScript 7 has removed it; the README names the others.
  "NoResolution in node10": ["./next", "./hono", "./express", "./fastify", "./node", "./redis", "./shadow", "./signed-policy", "./decision-log", "./opentelemetry", "./yaml"],
  // Next.js bundles its code as ES modules, so this entry has no other form. The README says so.
  "CJSResolvesToESM in node16-cjs": ["./next"],
};

const published = {
  async "publint has nothing to say"() {
    const bytes = readFileSync(tarball);
    const { messages, pkg } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true });
    equal(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
  },

  async "types and code agree at every entry, for every resolution of TypeScript"() {
    const { entrypoints, problems } = await checkPackage(createPackageFromTarballData(readFileSync(tarball)), { excludeEntrypoints: ASSETS });
    equal(Object.keys(entrypoints), Object.keys(described().exports).filter((name) => !ASSETS.includes(name)));
    const seen = {};
    for (const { kind, entrypoint, resolutionKind, ...other } of problems) (seen[`${kind} in ${resolutionKind ?? JSON.stringify(other)}`] ??= []).push(entrypoint);
    equal(Object.entries(seen).sort(), Object.entries(ALLOWED).sort());
  },

  async "it names its source, as provenance requires, and is published for everybody"() {
    const { repository, homepage, bugs, license, publishConfig } = described();
    equal(repository, { type: "git", url: `git+${REPOSITORY}.git`, directory: "npm/package" });
    equal([homepage, bugs.url, license], [`${REPOSITORY}#readme`, `${REPOSITORY}/issues`, "Apache-2.0 OR MIT"]);
    // Not `provenance: true`: a machine that is no supported CI could then not publish. The workflow passes `--provenance`.
    equal(publishConfig, { access: "public" });
    for (const file of described().files) equal([file, existsSync(at(file))], [file, true]);
    equal(existsSync(at("NOTICES.txt")), true);
  },

  async "no link leaves the package, and links to the repository name files that it has"() {
    let links = 0;
    for (const page of ["README.md", "NEXT.md"]) {
      const text = readFileSync(at(page), "utf8");
      const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => `#${title.toLowerCase().replaceAll(" ", "-")}`);
      for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        links += 1;
        const [, path] = /\/(?:blob|tree)\/main\/(.+)$/.exec(link.startsWith(REPOSITORY) ? link : "") ?? [];
        const found = path ? existsSync(new URL(`../../../${path}`, import.meta.url)) : anchors.includes(link) || /^https:\/\//.test(link) || (!link.includes("..") && existsSync(at(link)));
        equal([page, link, found], [page, link, true]);
      }
    }
    equal(links > 5, true);
  },

  async "this Node.js is the oldest that the package allows"() {
    equal(described().engines, { node: `>=${versions.node}` });
  },

  async "the public API is the committed one"() {
    const [now, before] = [api(), known()].map((text) => text.split("\n\n"));
    const missing = (from, other) => from.filter((item) => !other.includes(item));
    const [added, removed] = [missing(now, before), missing(before, now)];
    if (added.length + removed.length > 0) {
      const lines = [...removed.map((item) => `- ${item}`), ...added.map((item) => `+ ${item}`)];
      throw new Error(`the public API has changed. If it should, renew the list with \`${RENEW}\`:\n${lines.join("\n")}`);
    }
    equal(now.length > 50, true);
  },

  async "import and require export the same names"() {
    const { exports } = described();
    for (const [name, { require: commonjs, node }] of Object.entries(exports)) {
      if (!commonjs && !node) continue;
      const [esm, cjs] = name === "." ? [node.import, node.require] : [exports[name], commonjs];
      const [imported, required] = await Promise.all([esm.default.default ?? esm.default, cjs.default].map((file) => import(at(file))));
      const names = (library) => Object.keys(library).filter((key) => !["default", "module.exports", "__esModule"].includes(key)).sort();
      equal([name, names(required)], [name, names(imported)]);
    }
  },
};
