// The npm package without its waiting: a decision from strings, as `check` and
// `checkSync` of a gate ask for it.

import { readFileSync } from "node:fs";
import { Generation } from "./node_modules/countersign/esm/generation.js";
import * as glue from "./node_modules/countersign/esm/glue/countersign.js";
import { restart, start } from "./node_modules/countersign/esm/instance.js";

const file = new URL("node_modules/countersign/countersign.wasm", import.meta.url);
await start(new WebAssembly.Module(readFileSync(file)));

const SETTINGS = { fetch: undefined, fetchInit: {}, shared: false, now: Date.now };

/** A fresh instance of the file, and its memory. */
export function instantiate() {
  restart();
  return glue.initSync().memory;
}

export function openGate(policy) {
  return new Generation(Buffer.from(policy), SETTINGS);
}

/** Supplies the one document that the gate asks for. */
export function supplyKeys(gate, fetch, jwks) {
  const answer = { status: 200, cacheControl: "max-age=600", body: jwks };
  const problems = gate.supply(fetch, answer, Date.now());
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
}

/** Says who is asking. Throws unless the request may pass. */
export function admit(gate, target, credential) {
  const strings = ["GET", "api.example.com", target, "authorization", credential];
  const decision = gate.check(strings, Date.now());
  if (!decision.allow) throw new Error(decision.code);
  return decision.principal;
}
