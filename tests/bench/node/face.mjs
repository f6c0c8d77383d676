// The sealed file through its JavaScript glue, called the way a service calls
// it: strings of a request in, a decision with its principal out.

import { readFileSync } from "node:fs";

const dist = new URL("../../../dist/", import.meta.url);
const glue = await import(new URL("npm/countersign.js", dist));
const file = new WebAssembly.Module(readFileSync(new URL("countersign.wasm", dist)));

let started = false;
const frame = Buffer.allocUnsafe(64 * 1024);

/** A fresh instance of the file. Gates of the one before are gone. */
export function instantiate() {
  if (started) glue.__wbg_reset_state();
  started = true;
  return glue.initSync({ module: file }).memory;
}

export function openGate(policy) {
  const gate = new glue.Gate(Buffer.from(policy), 1n);
  const problems = gate.problems();
  if (problems !== undefined) throw new Error(problems);
  return gate;
}

/** Supplies the one document that the gate asks for. */
export function supplyKeys(gate, source, jwks) {
  const supplied = gate.supply(source, 200, "max-age=600", jwks, Date.now());
  if ("problem" in JSON.parse(supplied)) throw new Error(supplied);
}

/** Throws unless the request may pass. */
export function admit(gate, target, credential) {
  const verdict = gate.check(write("GET", "api.example.com", target, credential), Date.now());
  if (verdict !== glue.Verdict.Allow) throw new Error(gate.decision());
}

/** The same, and says who is asking. */
export function admitPrincipal(gate, target, credential) {
  admit(gate, target, credential);
  return JSON.parse(gate.decision()).principal;
}

function write(method, authority, target, credential) {
  let end = put(method, 0);
  end = put(authority, end);
  end = put(target, end);
  end = put("authorization", end);
  end = put(credential, end);
  return frame.subarray(0, end);
}

/** Node hands over headers as Latin-1, a byte a character. */
function put(text, at) {
  const length = frame.latin1Write(text, at + 4);
  frame.writeUInt32LE(length, at);
  return at + 4 + length;
}
