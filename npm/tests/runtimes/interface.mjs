// A file of another interface version, as the option `module` or as the file that a bundler copied.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as imported from "countersign";
import { Miniflare } from "miniflare";
import { EdgeVM } from "@edge-runtime/vm";
import { equal, ok, rejects } from "../assert.mjs";
import { bundle } from "../bundle.mjs";
import { policy } from "../issuer.mjs";
import { run } from "../run.mjs";
import { asModule } from "./edge.mjs";
import { asFile } from "./workerd.mjs";

const own = readFileSync(new URL("../node_modules/countersign/countersign.wasm", import.meta.url));
const built = /^package (\S+@(\S+));$/m.exec(readFileSync(new URL("../../../wit/countersign.wit", import.meta.url), "utf8"));
const [, INTERFACE, VERSION] = built;
const OTHER = VERSION.replace(/^\d/, (digit) => (Number(digit) + 1) % 10);
/** The same file with other names of its exports. */
const other = Buffer.from(own.toString("latin1").replaceAll(`@${VERSION}#`, `@${OTHER}#`), "latin1");
const SAID = `the module is not usable:\n  /: the file has interface countersign:gate@${OTHER}, this package needs ${INTERFACE} (interface_unsupported)`;
const NO_FILE = "the module is not usable:\n  /: it is not the compiled file countersign.wasm (interface_unsupported)";
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

export async function open() {
  return { name: "files of other versions", play: () => run(versions), close() {} };
}

const versions = {
  async "the file under test has other exports"() {
    const names = (bytes) => WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
    const check = (version) => `countersign:gate/gate@${version}#check`;
    equal([own, other].map((bytes) => [check(VERSION), check(OTHER)].map((name) => names(bytes).includes(name))), [[true, false], [false, true]]);
  },

  async "the option `module` refuses it, before and after the own file has started"() {
    for (const { createGate, CountersignError } of [imported, createRequire(import.meta.url)("countersign")]) {
      const refused = async (module) => (await rejects(createGate(policy, { module }), CountersignError)).message;
      const refusals = async () => [await refused(await WebAssembly.compile(other)), await refused(await WebAssembly.compile(EMPTY)), await refused(own), await refused({})];
      equal(await refusals(), [SAID, NO_FILE, NO_FILE, NO_FILE]);
      const gate = await createGate(policy, { module: await WebAssembly.compile(own) });
      ok(await gate.check(new Request("https://api.example.com/healthz")));
      equal(await refusals(), [SAID, NO_FILE, NO_FILE, NO_FILE]);
      gate.close();
    }
  },

  async "the edge runtime refuses it"() {
    const code = await bundle({ conditions: ["edge-light"], format: "iife", globalName: "tests", wasm: asModule });
    const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: false }, extend: (context) => Object.assign(context, { file: new WebAssembly.Module(other) }) });
    vm.evaluate(code);
    equal(await vm.evaluate("tests.library.createGate(tests.policy).then(() => 'opened', ({ message }) => message)"), SAID);
  },

  async "workerd refuses it"() {
    const tests = await bundle({ conditions: ["workerd"], format: "esm", wasm: asFile });
    const worker = 'import { library, policy } from "./tests.mjs";\nconst opened = library.createGate(policy).then(() => "opened", ({ message }) => message);\nexport default { fetch: async () => new Response(await opened) };\n';
    const miniflare = new Miniflare({
      compatibilityDate: "2026-01-01",
      modulesRoot: "/",
      modules: [
        { type: "ESModule", path: "/worker.mjs", contents: worker },
        { type: "ESModule", path: "/tests.mjs", contents: tests },
        { type: "CompiledWasm", path: "/countersign.wasm", contents: other },
      ],
    });
    try {
      equal(await (await miniflare.dispatchFetch("http://tests.example/")).text(), SAID);
    } finally {
      await miniflare.dispose();
    }
  },
};
