// The entry for `require` in Node.js: it reads the module from its file.

import { creator } from "./gate.js";

export * from "./exports.js";

declare const __dirname: string;
declare function require(name: "node:fs"): { readFileSync(path: string): BufferSource };

export const createGate = creator({
  module: () => WebAssembly.compile(require("node:fs").readFileSync(`${__dirname}/../countersign.wasm`)),
  shared: true,
  fetchInit: { credentials: "omit", cache: "no-store" },
});
