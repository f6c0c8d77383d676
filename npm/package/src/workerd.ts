// Cloudflare Workers: they compile no bytes, and a request must not wait for what another one fetches.

import wasm from "../countersign.wasm";
import { creator } from "./gate.js";

export * from "./exports.js";

/** What Cloudflare keeps of an answer for all isolates near it, in seconds: as long as an issuer is not asked again for an unknown key. */
const CACHED_S = 30;

export const createGate = creator({
  module: () => wasm,
  shared: false,
  fetchInit: { cf: { cacheEverything: true, cacheTtlByStatus: { "200-299": CACHED_S, "300-599": -1 } } } as RequestInit,
});

