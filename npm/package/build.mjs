// Builds the package from the output of `cargo xtask build` in dist/.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { compileFromFile } from "json-schema-to-typescript";

const dist = "../../dist";

for (const folder of ["esm", "cjs", "src/glue"]) rmSync(folder, { recursive: true, force: true });
mkdirSync("src/glue");
for (const file of ["countersign.js", "countersign.d.ts"]) cpSync(`${dist}/npm/${file}`, `src/glue/${file}`);
for (const file of ["countersign.wasm", "countersign.wasm.sha256", "NOTICES.txt"]) cpSync(`${dist}/${file}`, file);
for (const file of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(`../../${file}`, file);

const policy = await compileFromFile("../../verifier/policy.schema.json", { format: false, bannerComment: "", ignoreMinAndMaxItems: true });
writeFileSync("src/policy.ts", policy);
const [, name, version] = /^package (\S+)@(\S+);$/m.exec(readFileSync("../../wit/countersign.wit", "utf8"));
writeFileSync("src/wit.ts", `/** The interface of the file that this package was built for, from wit/countersign.wit. */\nexport const NAME = "${name}";\nexport const VERSION = "${version}";\n`);
const base64 = readFileSync("countersign.wasm", "base64");
writeFileSync("src/inlined.ts", `/** The bytes of countersign.wasm, inlined for bundlers that do not copy files. */\nexport const base64: string =\n  "${base64}";\n`);

const tsc = (...options) => execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", ...options], { stdio: "inherit" });
tsc();
tsc("-p", "tsconfig.commonjs.json");
// wasm-bindgen writes an ES module: it is copied for `import`, and tsc translates it for `require`.
cpSync("src/glue", "esm/glue", { recursive: true });
const translate = "--ignoreConfig --allowJs --target ES2022 --module CommonJS --moduleResolution bundler --rootDir src --outDir cjs";
tsc("src/glue/countersign.js", ...translate.split(" "));
cpSync("src/glue/countersign.d.ts", "cjs/glue/countersign.d.ts");
writeFileSync("cjs/package.json", '{ "type": "commonjs" }\n');
