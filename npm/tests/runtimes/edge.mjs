// The edge runtime of Next.js, which compiles neither strings nor bytes.

import { readFileSync } from "node:fs";
import { EdgeVM } from "@edge-runtime/vm";
import { bundle } from "../bundle.mjs";

export async function open(signatures) {
  const code = await bundle({ conditions: ["edge-light"], format: "iife", globalName: "tests", wasm: asModule });
  const file = new WebAssembly.Module(readFileSync(new URL("../node_modules/countersign/countersign.wasm", import.meta.url)));
  const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: false }, extend: (context) => Object.assign(context, { file }) });
  vm.evaluate(code);
  return {
    name: "the edge runtime",
    play: () => vm.evaluate("tests.play(false)"),
    // JSON text, because the two sides have different realms.
    answer: async (command) => JSON.parse(await vm.evaluate(`tests.answer(${JSON.stringify(command)}, ${JSON.stringify(signatures)}).then(JSON.stringify)`)),
    close() {},
  };
}

/** Like Next.js, it replaces `.wasm?module` by a compiled module. */
export function asModule({ onResolve, onLoad }) {
  onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm" }));
  onLoad({ filter: /.*/, namespace: "wasm" }, () => ({ contents: "export default file" }));
}
