// Browsers and every other runtime that can compile bytes.

import { creator } from "./create.js";
import type { Platform } from "./options.js";
import { inlinedModule } from "./inlined-module.js";
import { linter } from "./lint.js";

export * from "./exports.js";

const platform: Platform = { module: inlinedModule, shared: true, fetchInit: { credentials: "omit", cache: "no-store" } };

export const createGate = creator(platform);
export const lint = linter(platform);
