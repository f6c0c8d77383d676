// The synchronous part of the npm package: a decision from strings, as `check`
// and `checkSync` of a gate request it.

import { readFileSync } from "node:fs";
import * as crypto from "node:crypto";
import { ModuleGate } from "./node_modules/countersign/esm/module-gate.js";
import { nodeCrypto } from "./node_modules/countersign/esm/node-crypto.js";
import * as glue from "./node_modules/countersign/esm/glue/countersign.js";
import { main } from "./node_modules/countersign/esm/instance.js";

const file = new URL("node_modules/countersign/countersign.wasm", import.meta.url);
await main.start(new WebAssembly.Module(readFileSync(file)));

/** Makes a new instance of the module, and returns its memory. */
export function instantiate() {
  main.restart();
  return glue.initSync().memory;
}

/** The cryptography of Node.js. */
export const native = nodeCrypto(crypto);

/** Without `cryptography`, the module verifies signatures. */
export function openGate(policy, cryptography) {
  return new ModuleGate(Buffer.from(policy), { cryptography, secrets: new Uint8Array(), proofs: () => true }, () => [], () => {});
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
  // Of the connection nothing is known.
  const strings = ["GET", "api.example.com", target, "", "", "", "authorization", credential];
  const decision = gate.check({ strings, bytes: new Uint8Array() }, Date.now());
  if (!decision.allow) throw new Error(decision.code);
  return decision.principal;
}
