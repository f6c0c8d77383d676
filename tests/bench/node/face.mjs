// The npm package without its waiting: a decision from strings, as `check` and
// `checkSync` of a gate ask for it.

import { readFileSync } from "node:fs";
import { ModuleGate } from "./node_modules/countersign/esm/module-gate.js";
import * as glue from "./node_modules/countersign/esm/glue/countersign.js";
import { restart, start } from "./node_modules/countersign/esm/instance.js";

const file = new URL("node_modules/countersign/countersign.wasm", import.meta.url);
await start(new WebAssembly.Module(readFileSync(file)));

/** A fresh instance of the file, and its memory. */
export function instantiate() {
  restart();
  return glue.initSync().memory;
}

export function openGate(policy) {
  return new ModuleGate(Buffer.from(policy), () => [], () => {});
}

/** Supplies the one document that the gate asks for, as slices: `each` is given what makes the next one. */
export function supply(gate, fetch, jwks, each = (slice) => slice()) {
  const answer = { status: 200, cacheControl: "max-age=600", body: jwks };
  let supplied = each(() => gate.supply(fetch, answer, Date.now()));
  for (let call = 1; supplied?.outcome === "unfinished"; call++) supplied = each(() => gate.resume(fetch, answer, call, Date.now()));
  if (supplied?.outcome !== "accepted" || supplied.skipped.length > 0) throw new Error(JSON.stringify(supplied));
}

/** Says who is asking. Throws unless the request may pass. */
export function admit(gate, target, credential) {
  const strings = ["GET", "api.example.com", target, "authorization", credential];
  const decision = gate.check(strings, Date.now());
  if (!decision.allow) throw new Error(decision.code);
  return decision.principal;
}
