// The edge runtime of Next.js and Vercel: it cannot compile bytes, and a request must not wait for another request's fetch.

import wasm from "../countersign.wasm?module";
import { creator } from "./gate.js";

export * from "./exports.js";

export const createGate = creator({ module: () => wasm, shared: false, fetchInit: {} });

