// Cloudflare Workers: they compile no bytes, and a request must not wait for what another one fetches.

import wasm from "../countersign.wasm";
import { creator } from "./gate.js";

export * from "./exports.js";

export const createGate = creator({ module: () => wasm, shared: false, fetchInit: {} });

