// The part of the bench that measures the npm package itself: the time from
// import to the first decision, and the size of an edge bundle. Reads the
// workload from standard input, and prints the figures as JSON (`Answer` of
// src/child.rs).

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { edge } from "./edge.mjs";
import { figure } from "./race.mjs";

/** The limit in bytes for all files of a Worker, compressed. */
const BUDGET = JSON.parse(readFileSync(new URL("../../../module/budget.json", import.meta.url), "utf8")).edge_bundle_gzip;
const CONTESTANTS = ["countersign", "fast-jwt", "jose", "aws-jwt-verify", "jsonwebtoken"];

const input = readFileSync(0);
const { starts, policy, jwk, issuer, audience } = JSON.parse(input);
const races = [];

say("from import to the first decision");
const start = new URL("start.mjs", import.meta.url).pathname;
const turns = CONTESTANTS.map(() => []);
for (let turn = 0; turn < starts; turn++) {
  for (let place = 0; place < CONTESTANTS.length; place++) {
    // The order changes at every turn.
    const index = (place + turn) % CONTESTANTS.length;
    turns[index].push(Number(execFileSync(process.execPath, [start, CONTESTANTS[index]], { input })));
  }
}
const [ours, ...peers] = CONTESTANTS.map((name, index) => figure(name, "ns", turns[index]));
add("import to first decision", [ours], peers);

say("an edge bundle");
const [workerd, edgeLight, jose] = [
  await edge("countersign", "workerd", { policy }),
  await edge("countersign", "edge-light", { policy }),
  await edge("jose", "workerd", { issuer, audience, algorithm: jwk.alg ?? "RS256" }),
];
const bytes = (name, count) => figure(name, "bytes", [count]);
add("an edge bundle, raw", [bytes("workerd", workerd.raw), bytes("edge-light", edgeLight.raw)], [bytes("jose", jose.raw)]);
add("an edge bundle, gzip", [bytes("workerd", workerd.gzip), bytes("edge-light", edgeLight.gzip)], [bytes("budget", BUDGET), bytes("jose", jose.gzip)]);

console.log(JSON.stringify({ races, versions: versions() }));

function add(work, ours, peers) {
  races.push({ host: "npm", work, ours, peers });
}

function say(what) {
  console.error(`  npm: ${what} …`);
}

function versions() {
  const manifest = (name) => new URL(`node_modules/${name}/package.json`, import.meta.url);
  const version = (name) => JSON.parse(readFileSync(manifest(name), "utf8")).version;
  return Object.fromEntries([...CONTESTANTS.slice(1), "esbuild"].map((name) => [name, version(name)]));
}
