// Servers that differ only in their decision log, for src/log/child.rs: reads a policy and
// the logs from standard input, where null is no log, and prints the addresses as JSON.

import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createGate } from "countersign";
import { DecisionLog, toStream } from "countersign/decision-log";
import { countersign } from "countersign/express";

const { policy, logs } = JSON.parse(readFileSync(0, "utf8"));
const addresses = [];
for (const wanted of logs) {
  const log = wanted && new DecisionLog({ write: toStream(createWriteStream(wanted.file)), oneAllowOf: wanted.every });
  const gate = await createGate(JSON.parse(policy), log ? { onDecision: log.record } : {});
  const check = countersign(gate);
  const server = createServer((request, response) => check(request, response, () => response.end("ok"))).listen(0, "127.0.0.1");
  await once(server, "listening");
  addresses.push(`127.0.0.1:${server.address().port}`);
}
console.log(JSON.stringify(addresses));
