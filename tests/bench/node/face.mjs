// The sealed file through its JavaScript glue, called the way a service calls
// it: strings of a request in, a decision with its principal out.

import { readFileSync } from "node:fs";
import { readGrant } from "../../artefact/grant.mjs";

const dist = new URL("../../../dist/", import.meta.url);
const glue = await import(new URL("npm/countersign.js", dist));
const file = new WebAssembly.Module(readFileSync(new URL("countersign.wasm", dist)));

/** Grants kept by number: as many as tokens are remembered. */
const KEPT = 1024;

let started = false;
let memory;
let view;
let bytes;

/** A fresh instance of the file. Gates of the one before are gone. */
export function instantiate() {
  if (started) glue.__wbg_reset_state();
  started = true;
  memory = glue.initSync({ module: file }).memory;
  return memory;
}

export function openGate(policy) {
  const gate = new glue.Gate(Buffer.from(policy), 1n);
  const problems = gate.problems();
  if (problems !== undefined) throw new Error(problems);
  gate.kept = new Array(KEPT);
  return gate;
}

/** Supplies the one document that the gate asks for. */
export function supplyKeys(gate, source, jwks) {
  const supplied = gate.supply(source, 200, "max-age=600", jwks, Date.now());
  if ("problem" in JSON.parse(supplied)) throw new Error(supplied);
}

/** Throws unless the request may pass. */
export function admit(gate, target, credential) {
  const length = write(gate, "GET", "api.example.com", target, credential);
  const verdict = gate.check(length, Date.now());
  if (verdict !== glue.Verdict.Allow) throw new Error(gate.decision());
}

/** The same, and says who is asking. */
export function admitPrincipal(gate, target, credential) {
  admit(gate, target, credential);
  const number = gate.granted();
  const kept = gate.kept[number % KEPT];
  if (kept?.number === number) return kept.principal;
  const at = gate.grant();
  look();
  const { principal } = readGrant(view, bytes, at);
  gate.kept[number % KEPT] = { number, principal };
  return principal;
}

function write(gate, method, authority, target, credential) {
  const numbers = 4 * 6;
  const length = numbers + method.length + authority.length + target.length + 13 + credential.length;
  const room = gate.room(length);
  look();
  view.setUint32(room, 5, true);
  view.setUint32(room + 4, method.length, true);
  view.setUint32(room + 8, authority.length, true);
  view.setUint32(room + 12, target.length, true);
  view.setUint32(room + 16, 13, true);
  view.setUint32(room + 20, credential.length, true);
  // Node hands over headers as Latin-1, a byte a character.
  bytes.latin1Write(`${method}${authority}${target}authorization${credential}`, room + numbers);
  return length;
}

/** At the memory as it is now. */
function look() {
  if (view?.buffer === memory.buffer) return;
  view = new DataView(memory.buffer);
  bytes = Buffer.from(memory.buffer);
}
