// Builds the page: one file, dist/inspector/index.html, that contains script, style and module.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const dist = "../../dist/inspector";
const packed = "node_modules/countersign";

await import("./examples.mjs");
writeLimits();
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc"], { stdio: "inherit" });

// ASCII, so that the script's digest does not depend on the encoding of the page.
const options = { bundle: true, minify: true, write: false, target: "es2022", charset: "ascii", legalComments: "none", logLevel: "warning" };
const [script] = (await build({ ...options, entryPoints: ["src/main.ts"], format: "iife", conditions: ["browser"] })).outputFiles;
const [style] = (await build({ ...options, entryPoints: ["src/style.css"] })).outputFiles;

const digest = readFileSync(`${packed}/countersign.wasm.sha256`, "utf8").split(" ", 1)[0];
const { version } = JSON.parse(readFileSync(`${packed}/package.json`, "utf8"));
const code = script.text;
if (/<\/script|<!--/i.test(code)) throw new Error("the script contains text that would end its element");
const values = {
  SCRIPT: code,
  SCRIPT_HASH: hash(code),
  STYLE: style.text,
  STYLE_HASH: hash(style.text),
  DIGEST: digest,
  VERSION: version,
  YAML_LICENCE: readFileSync("node_modules/yaml/LICENSE", "utf8").trim(),
};
const page = readFileSync("index.html", "utf8").replaceAll(/\{\{(\w+)\}\}/g, (_, name) => values[name]);

mkdirSync(dist, { recursive: true });
writeFileSync(`${dist}/index.html`, page);
// The command serves it too, and its crate cannot read files outside its own folder.
writeFileSync("../../hosts/cli/inspector.html", page);

/** The numbers of a policy that says none. */
function writeLimits() {
  const { limits, leeway_s } = JSON.parse(readFileSync("../../verifier/policy.schema.json", "utf8")).properties;
  const defaults = Object.entries({ ...limits.properties, leeway_s }).map(([name, value]) => [name, value.default]);
  writeFileSync("src/limits.json", JSON.stringify(Object.fromEntries(defaults)));
}

function hash(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
