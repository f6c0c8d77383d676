// Cloudflare Workers: they cannot compile bytes, and a request must not wait for another request's fetch.

import wasm from "../countersign.wasm";
import { creator } from "./create.js";
import type { Platform } from "./options.js";
import { linter } from "./lint.js";

export * from "./exports.js";

/** How long Cloudflare caches a response for all isolates of a location, in seconds: as long as the gate waits before it fetches keys again for an unknown key. */
const CACHED_S = 30;

const platform: Platform = {
  module: () => wasm,
  shared: false,
  fetchInit: { cf: { cacheEverything: true, cacheTtlByStatus: { "200-299": CACHED_S, "300-599": -1 } } } as RequestInit,
};

export const createGate = creator(platform);
export const lint = linter(platform);

