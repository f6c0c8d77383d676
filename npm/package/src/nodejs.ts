// Node.js, Bun and Deno. Only this entry and that for `require` name `node:crypto`.

import { creator } from "./create.js";
import type { Platform } from "./options.js";
import { inlinedModule } from "./inlined-module.js";
import { linter } from "./lint.js";
import { nodeCrypto } from "./node-crypto.js";

export * from "./exports.js";

const platform: Platform = {
  module: inlinedModule,
  native: async () => nodeCrypto(await import("node:crypto")),
  shared: true,
  fetchInit: { credentials: "omit", cache: "no-store" },
};

export const createGate = creator(platform);
export const lint = linter(platform);
