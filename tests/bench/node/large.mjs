// The largest documents in Node: the longest call that reads a part of one, and
// the memory that is used. Reads the documents from standard input, and prints
// the figures as JSON (`Answer` of src/child.rs).

import { readFileSync } from "node:fs";
import { instantiate, openGate, supply } from "./face.mjs";
import { figure } from "./race.mjs";

const { documents, readings, goalMs } = JSON.parse(readFileSync(0, "utf8"));
const races = [];

for (const { name, policy, body } of documents) {
  const bytes = Buffer.from(body);
  const work = `longest call, ${name}`;
  console.error(`  node: ${work} …`);
  const longest = [];
  for (let reading = 0; reading < readings; reading++) longest.push(longestCall(policy, bytes));
  console.error(`  node: it was call [${longest.map(({ call }) => call).join(", ")}], 0 being the first …`);
  const times = longest.map(({ ms }) => ms * 1e6);
  add(work, [figure("npm package, supply, resume", "ns", times)], [figure("goal", "ns", [goalMs * 1e6])]);
  if (name.endsWith("revocations")) add(`memory, ${name}`, memory(policy, bytes), []);
}

console.log(JSON.stringify({ races, versions: {} }));

/** Reads the document in a new instance. */
function longestCall(policy, body) {
  instantiate();
  const gate = openGate(policy);
  const [fetch] = gate.due(Date.now());
  const longest = { ms: 0, call: 0 };
  let call = 0;
  supply(gate, fetch, body, (slice) => {
    const start = performance.now();
    const supplied = slice();
    const ms = performance.now() - start;
    if (ms > longest.ms) Object.assign(longest, { ms, call });
    call++;
    return supplied;
  });
  return longest;
}

/** Linear memory with the document, and after a second document has replaced it. Linear memory never shrinks. */
function memory(policy, body) {
  const memory = instantiate();
  const gate = openGate(policy);
  const [fetch] = gate.due(Date.now());
  return ["sealed", "sealed, refreshed"].map((name) => {
    supply(gate, fetch, body);
    return figure(name, "bytes", [memory.buffer.byteLength]);
  });
}

function add(work, ours, peers) {
  races.push({ host: "node", work, ours, peers });
}
