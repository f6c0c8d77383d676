// A Node.js service as its operator runs it: a gate with a decision log and a candidate beside the policy.
//   node service.mjs policy.json node.jsonl subject.key [next.json]

import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createGate } from "countersign";
import { DecisionLog, toStream } from "countersign/decision-log";
import { countersign } from "countersign/express";
import { readyHandler } from "countersign/node";
import { shadow } from "countersign/shadow";
import express from "express";

const [policy, logged, key, candidate] = process.argv.slice(2);
const json = (file) => JSON.parse(readFileSync(file, "utf8"));

const log = new DecisionLog({ write: toStream(createWriteStream(logged, { flags: "a" })) });
const gate = await createGate(json(policy), {
  onDecision: log.record,
  subjectKey: readFileSync(key, "utf8").trimEnd(),
  ...(candidate && { shadow: shadow(json(candidate)) }),
});

const app = express();
// For the operator. In production it has a port of its own.
app.get("/readyz", readyHandler(gate));
app.get("/status", (_, answer) => answer.json(gate.status()));
app.use(countersign(gate));
app.use((_, answer) => answer.send("you may pass\n"));

const server = createServer(app).listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`listening on 127.0.0.1:${server.address().port}`);
