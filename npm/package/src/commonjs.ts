// The entry for `require` in Node.js: it reads the module from its file.

import type * as NodeCrypto from "node:crypto";
import { creator } from "./create.js";
import type { Platform } from "./options.js";
import { linter } from "./lint.js";
import { nodeCrypto } from "./node-crypto.js";

export * from "./exports.js";

declare const __dirname: string;
declare function require(name: "node:fs"): { readFileSync(path: string): BufferSource };
declare function require(name: "node:crypto"): typeof NodeCrypto;

const platform: Platform = {
  module: () => WebAssembly.compile(require("node:fs").readFileSync(`${__dirname}/../countersign.wasm`)),
  native: () => nodeCrypto(require("node:crypto")),
  shared: true,
  fetchInit: { credentials: "omit", cache: "no-store" },
};

export const createGate = creator(platform);
export const lint = linter(platform);
