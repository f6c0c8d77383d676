// The synchronous part of the npm package: a decision from strings, as `check`
// and `checkSync` of a gate request it.

import { readFileSync } from "node:fs";
import { ModuleGate } from "./node_modules/countersign/esm/module-gate.js";
import * as glue from "./node_modules/countersign/esm/glue/countersign.js";
import { restart, start } from "./node_modules/countersign/esm/instance.js";

const file = new URL("node_modules/countersign/countersign.wasm", import.meta.url);
await start(new WebAssembly.Module(readFileSync(file)));

/** Makes a new instance of the module, and returns its memory. */
export function instantiate() {
  restart();
  return glue.initSync().memory;
}

export function openGate(policy) {
  return new ModuleGate(Buffer.from(policy), () => [], () => {});
}

/** Supplies the one document that the gate fetches, in slices. `each` gets a function that supplies the next slice. */
export function supply(gate, fetch, jwks, each = (slice) => slice()) {
  const answer = { status: 200, cacheControl: "max-age=600", body: jwks };
  let supplied = each(() => gate.supply(fetch, answer, Date.now()));
  for (let call = 1; supplied?.outcome === "unfinished"; call++) supplied = each(() => gate.resume(fetch, answer, call, Date.now()));
  if (supplied?.outcome !== "accepted" || supplied.skipped.length > 0) throw new Error(JSON.stringify(supplied));
}

/** Returns the principal. Throws if the request is denied. */
export function admit(gate, target, credential) {
  const strings = ["GET", "api.example.com", target, "authorization", credential];
  const decision = gate.check(strings, Date.now());
  if (!decision.allow) throw new Error(decision.code);
  return decision.principal;
}
