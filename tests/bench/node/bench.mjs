// The part of the bench that runs in Node. It reads the workload from standard
// input, prints the figures as JSON (`Answer` of src/child.rs), and prints its
// progress to standard error.

import { readFileSync } from "node:fs";
import { memory, natively, openPolicy, supplyTwoKeys, withPrincipal } from "./countersign.mjs";
import { mix } from "./mix.mjs";
import { awsJwtVerify, fastJwt, jose } from "./peers.mjs";
import { figure, race } from "./race.mjs";

const PEERS = ["aws-jwt-verify", "fast-jwt", "jose"];

const workload = JSON.parse(readFileSync(0, "utf8"));
const { target, fresh, remembered, algorithms, hmac, repeats } = workload;
const races = [];

for (const one of algorithms) {
  const peers = [fastJwt(one, workload, false), await jose(one, workload)];
  // aws-jwt-verify does not support PSS.
  if (!one.name.startsWith("PS")) peers.push(awsJwtVerify(one, workload));
  say(`${one.name}, fresh`);
  const [module, native, ...others] = await race([withPrincipal(one, target), natively(one, target), ...peers], false, fresh);
  add(`${one.name}, fresh`, [[module], others]);
  add(`${one.name}, fresh, native`, [[native], [module, ...others]]);
}
// The time for a remembered token does not depend on its algorithm.
const rsa = algorithms.find(({ name }) => name === "RS256");
await compete("RS256, remembered", [withPrincipal(rsa, target)], [fastJwt(rsa, workload, true)], true, remembered);
// src/rsa_alone.rs subtracts this to get the RSA operation alone.
await compete("HS256, fresh", [withPrincipal(hmac, target)], [], false, fresh);

say("a mix of clients");
const mixed = { ...rsa, tokens: workload.mix.tokens };
const cached = fastJwt(mixed, workload, true);
const [module, native, peer] = await mix([withPrincipal(mixed, target), natively(mixed, target), cached], workload.mix);
add("mix of clients", [[module], [peer]]);
add("mix of clients, native", [[native], [module, peer]]);

say("open, supply, memory");
add("open a policy", [[openPolicy(rsa.policy, repeats)], []]);
add("supply 2 keys", [[supplyTwoKeys(workload.supply, repeats)], []]);
const goal = figure("goal", "bytes", [4 << 20]);
add("memory, 100 keys, 1,000 tokens", [[memory(workload.supply, rsa, target)], [goal]]);

console.log(JSON.stringify({ races, versions: versions() }));

async function compete(work, ours, peers, isRemembered, plan) {
  say(work);
  const figures = await race([...ours, ...peers], isRemembered, plan);
  add(work, [figures.slice(0, ours.length), figures.slice(ours.length)]);
}

function add(work, [ours, peers]) {
  races.push({ host: "node", work, ours, peers });
}

function say(what) {
  console.error(`  node: ${what} …`);
}

function versions() {
  const manifest = (name) => new URL(`node_modules/${name}/package.json`, import.meta.url);
  const version = (name) => JSON.parse(readFileSync(manifest(name), "utf8")).version;
  return Object.fromEntries([
    ...PEERS.map((name) => [name, version(name)]),
    ["v8", process.versions.v8.split(".", 2).join(".")],
  ]);
}
