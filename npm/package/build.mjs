// Builds the package from the output of `cargo xtask build` in dist/.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const dist = "../../dist";

for (const folder of ["esm", "cjs", "src/glue"]) rmSync(folder, { recursive: true, force: true });
mkdirSync("src/glue");
for (const file of ["countersign.js", "countersign.d.ts"]) {
  cpSync(`${dist}/npm/${file}`, `src/glue/${file}`);
  // The glue holds one instance of the module: a candidate has a copy, and so a memory of its own.
  cpSync(`${dist}/npm/${file}`, `src/glue/${file.replace("countersign", "apart")}`);
}
for (const file of ["countersign.wasm", "countersign.wasm.sha256", "NOTICES.txt"]) cpSync(`${dist}/${file}`, file);
for (const file of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(`../../${file}`, file);

const policy = await compile(kindsOfIssuers(JSON.parse(readFileSync("../../verifier/policy.schema.json", "utf8"))), "policy", { format: false, bannerComment: "", ignoreMinAndMaxItems: true });
writeFileSync("src/policy.ts", policy);
const [, name, version] = /^package (\S+)@(\S+);$/m.exec(readFileSync("../../wit/countersign.wit", "utf8"));
writeFileSync("src/wit.ts", `/** The interface of the file that this package was built for, from wit/countersign.wit. */\nexport const NAME = "${name}";\nexport const VERSION = "${version}";\n\n/** Of countersign.wasm. */\nexport const SHA256 = "${readFileSync("countersign.wasm.sha256", "utf8").slice(0, 64)}";\n\nexport const PACKAGE_VERSION = "${JSON.parse(readFileSync("package.json", "utf8")).version}";\n`);
const base64 = readFileSync("countersign.wasm", "base64");
writeFileSync("src/inlined.ts", `/** The bytes of countersign.wasm, inlined for bundlers that do not copy files. */\nexport const base64: string =\n  "${base64}";\n`);

const tsc = (...options) => execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", ...options], { stdio: "inherit" });
tsc();
tsc("-p", "tsconfig.commonjs.json");
// wasm-bindgen writes an ES module: it is copied for `import`, and tsc translates it for `require`.
cpSync("src/glue", "esm/glue", { recursive: true });
const translate = "--ignoreConfig --allowJs --target ES2022 --module CommonJS --moduleResolution bundler --rootDir src --outDir cjs";
for (const glue of ["countersign", "apart"]) {
  tsc(`src/glue/${glue}.js`, ...translate.split(" "));
  cpSync(`src/glue/${glue}.d.ts`, `cjs/glue/${glue}.d.ts`);
}
writeFileSync("cjs/package.json", '{ "type": "commonjs" }\n');

/** Each kind of issuers as a type of its own: what it needs stands behind `if` in the schema, which TypeScript does not have. */
function kindsOfIssuers(schema) {
  const { allOf, properties, required, ...issuer } = schema.$defs.issuer;
  const [{ then: ofKeys, else: others }] = allOf;
  const kind = (title, needed, excluded) => {
    const left = Object.entries(properties).filter(([name]) => !excluded.includes(name));
    return { ...issuer, title, properties: Object.fromEntries(left), required: [...required, ...needed] };
  };
  const excluded = Object.keys(ofKeys.properties).filter((name) => ofKeys.properties[name] === false);
  schema.$defs.issuer = kind("Issuer", [...others.required, ...others.else.required], ["api_keys", "introspection"]);
  schema.$defs.issuer_of_opaque_tokens = kind("Issuer of opaque tokens", [...others.required, "introspection"], ["api_keys"]);
  schema.$defs.issuer_of_api_keys = kind("Issuer of API keys", ["api_keys"], excluded);
  schema.properties.issuers.items = { oneOf: ["issuer", "issuer_of_opaque_tokens", "issuer_of_api_keys"].map((name) => ({ $ref: `#/$defs/${name}` })) };
  return schema;
}
