// The contents of the tarball.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { equal } from "../assert.mjs";
import { run } from "../run.mjs";

const tests = fileURLToPath(new URL("../", import.meta.url));
const at = (name) => `${tests}node_modules/countersign/${name}`;
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

export async function open() {
  return { name: "the tarball", play: () => run(contents), close() {} };
}

const contents = {
  async "it contains the module that was built, and its digest"() {
    const built = readFileSync(`${tests}../../dist/countersign.wasm.sha256`, "utf8");
    equal(`${digest(readFileSync(at("countersign.wasm")))}  countersign.wasm\n`, built);
    equal(readFileSync(at("countersign.wasm.sha256"), "utf8"), built);
    const require = createRequire(import.meta.url);
    equal(require.resolve("countersign/countersign.wasm"), at("countersign.wasm"));
    equal(require.resolve("countersign/countersign.wasm.sha256"), at("countersign.wasm.sha256"));
  },

  async "the module is inlined once, unchanged"() {
    const { base64 } = await import(at("esm/inlined.js"));
    equal(digest(Buffer.from(base64, "base64")), digest(readFileSync(at("countersign.wasm"))));
    const files = readdirSync(at(""), { recursive: true });
    equal(files.filter((file) => file.endsWith(".wasm")), ["countersign.wasm"]);
    const holding = files.filter((file) => file.endsWith(".js") && readFileSync(at(file), "utf8").includes(base64.slice(0, 99)));
    equal(holding, ["esm/inlined.js"]);
  },

  async "only the entries of Node.js name `node:crypto`"() {
    const files = readdirSync(at(""), { recursive: true });
    const naming = files.filter((file) => file.endsWith(".js") && readFileSync(at(file), "utf8").includes('"node:crypto"'));
    equal(naming.sort(), ["cjs/commonjs.js", "esm/nodejs.js"]);
  },

  async "the glue is unchanged from wasm-bindgen"() {
    equal(readFileSync(at("esm/glue/countersign.js"), "utf8") === readFileSync(`${tests}../../dist/npm/countersign.js`, "utf8"), true);
  },

  async "it has no dependencies, and its entries are in the order that runtimes need"() {
    const { dependencies, exports, types, scripts } = JSON.parse(readFileSync(at("package.json"), "utf8"));
    equal([dependencies, scripts.install, scripts.postinstall], [undefined, undefined, undefined]);
    equal(Object.keys(exports["."]), ["workerd", "edge-light", "node", "browser", "default"]);
    const named = JSON.stringify([exports, types]).match(/\.\/[^"]+/g).filter((path) => /\.(js|ts|wasm|sha256)$/.test(path));
    for (const path of named) if (path.split("/").length > 2 || path.includes("wasm")) readFileSync(at(path));
  },

  async "adapters have less than a hundred lines"() {
    for (const name of ["next", "hono", "express", "fastify"]) {
      equal(readFileSync(at(`esm/${name}.js`), "utf8").split("\n").length < 100, true);
    }
  },

  async "its types accept correct code and refuse wrong code, for import and for require"() {
    const options = "--noEmit --strict --target es2022 --lib es2022,dom,esnext.disposable --module nodenext --skipLibCheck false".split(" ");
    // The newest TypeScript, and the oldest that the README names.
    const compilers = { "../package/node_modules/typescript/bin/tsc": ["--ignoreConfig"], "node_modules/typescript/bin/tsc": ["--typeRoots", "types"] }; // without those of Node.js, which this one does not read
    for (const [tsc, others] of Object.entries(compilers)) {
      try {
        execFileSync(process.execPath, [`${tests}${tsc}`, ...others, ...options, "types/consumer.mts", "types/consumer.cts"], { cwd: tests });
      } catch (error) {
        throw new Error(`${tsc}: ${error.stdout}`);
      }
    }
  },
};
