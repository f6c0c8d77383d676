// The edge runtime of Next.js and Vercel: it cannot compile bytes, and a request must not wait for another request's fetch.

import wasm from "../countersign.wasm?module";
import { creator } from "./create.js";
import type { Platform } from "./options.js";
import { linter } from "./lint.js";

export * from "./exports.js";

const platform: Platform = { module: () => wasm, shared: false, fetchInit: {} };

export const createGate = creator(platform);
export const lint = linter(platform);

