// Opens the module in V8, decides about the requests on standard input and
// decodes the tokens.

import { readFileSync } from "node:fs";
import { readGrant } from "./grant.mjs";

const dist = new URL("../../dist/", import.meta.url);
const { Gate, Verdict, initSync, inspect } = await import(new URL("npm/countersign.js", dist));
const { memory } = initSync({ module: new WebAssembly.Module(readFileSync(new URL("countersign.wasm", dist))) });

const { policy, now_ms, cases, tokens } = JSON.parse(readFileSync(0, "utf8"));
const gate = new Gate(Buffer.from(policy), 1n, undefined, new Uint8Array());
if (gate.problems() !== undefined) throw new Error(gate.problems());

const decisions = cases.map((strings) => {
  const frame = toFrame(strings);
  const place = gate.room(frame.length);
  new Uint8Array(memory.buffer).set(frame, place);
  const verdict = gate.check(frame.length, now_ms);
  const decision = JSON.parse(gate.decision());
  if (decision.decision !== Verdict[verdict].toLowerCase()) {
    throw new Error(`${Verdict[verdict]} is not ${decision.decision}`);
  }
  if (verdict !== Verdict.Allow) return decision;
  const at = gate.grant(gate.granted());
  return { ...decision, ...readGrant(new DataView(memory.buffer), new Uint8Array(memory.buffer), at) };
});
const inspections = tokens.map((token) => JSON.parse(inspect(Buffer.from(token, "base64"))));
console.log(JSON.stringify({ decisions, inspections }));

/** Byte strings in base64: method, authority, target, header names and values. */
function toFrame(strings) {
  const bytes = strings.map((string) => Buffer.from(string, "base64"));
  const numbers = Uint32Array.of(bytes.length, ...bytes.map(({ length }) => length));
  return Buffer.concat([Buffer.from(numbers.buffer), ...bytes]);
}
