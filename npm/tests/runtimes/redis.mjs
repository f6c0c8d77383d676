// Used proofs in a real Redis: the program in `COUNTERSIGN_REDIS`, or `redis-server` in the path.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createClient } from "@redis/client";
import { createGate } from "countersign";
import { redisProofs } from "countersign/redis";
import { deny, equal, ok } from "../assert.mjs";
import { issuer, policy, token } from "../issuer.mjs";
import { client } from "../proofs.mjs";
import { run } from "../run.mjs";

const URI = "https://api.example.com/assets/1";
const bound = { ...policy, credentials: [{ header: "authorization", scheme: "Bearer" }, { header: "authorization", scheme: "DPoP" }] };
const program = process.env.COUNTERSIGN_REDIS ?? (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "redis-server")).find((file) => existsSync(file));

export async function open() {
  if (program === undefined) return { name: "Redis: skipped, because redis-server is not installed", play: async () => ({ passed: 0, faults: [], skipped: 1 }), close() {} };
  return { name: "Redis", play: () => run(tests), close() {} };
}

/** A server that ends with the test, and a client of it. */
async function withRedis(work, ...options) {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const path = join(folder, "socket");
  const server = spawn(program, ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", "", "--appendonly", "no", ...options], { stdio: "ignore" });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  for (let look = 0; !existsSync(path) && look < 200; look++) await new Promise((resolve) => setTimeout(resolve, 25));
  const clients = [];
  const connected = async () => {
    const redis = createClient({ socket: { path, reconnectStrategy: false }, disableOfflineQueue: true });
    redis.on("error", () => {});
    clients.push(await redis.connect());
    return redis;
  };
  try {
    await work(connected, async () => (server.kill("SIGKILL"), ended));
  } finally {
    for (const redis of clients) redis.destroy();
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  }
}

const opened = async (proofs) => createGate(bound, { fetch: (await issuer()).fetch, proofs, waitMs: 1_000 });
const asking = (headers) => new Request(URI, { headers });

const tests = {
  async "of many requests with one proof at the same time, to several replicas, exactly one passes"() {
    await withRedis(async (connected) => {
      const gates = await Promise.all([1, 2, 3].map(async () => opened(redisProofs(await connected()))));
      const sender = await client();
      const held = await sender.token();
      for (let times = 0; times < 5; times++) {
        const headers = await sender.headers(held, URI);
        const codes = await Promise.all(Array.from({ length: 99 }, async (_, index) => (await gates[index % 3].check(asking(headers))).code));
        equal([codes.filter((code) => code === undefined).length, codes.filter((code) => code === "proof_replayed").length], [1, 98]);
        ok(await gates[times % 3].check(asking(await sender.headers(held, URI))));
      }
      for (const gate of gates) gate.close();
    });
  },

  async "an entry is a hash, which goes a minute after the proof is too old"() {
    await withRedis(async (connected) => {
      const redis = await connected();
      const gate = await opened(redisProofs(redis, "proofs:"));
      const sender = await client();
      const held = await sender.token();
      const headers = await sender.headers(held, URI);
      ok(await gate.check(asking(headers)));
      const [key, ...others] = await redis.keys("*");
      equal([/^proofs:[0-9a-f]{64}$/.test(key), others, await redis.get(key)], [true, [], "1"]);
      // The policy's 60 s and its leeway, and the minute.
      const leftMs = await redis.pTTL(key);
      equal([leftMs > 110_000, leftMs < 190_000], [true, true]);
      gate.close();
    });
  },

  async "if Redis is down or full, requests with a proof are denied, and no others"() {
    await withRedis(async (connected, kill) => {
      const redis = await connected();
      const gate = await opened(redisProofs(redis));
      const sender = await client();
      const held = await sender.token();
      const checked = async () => gate.check(asking(await sender.headers(held, URI)));
      ok(await checked());
      await redis.configSet("maxmemory", "1");
      equal(deny(await checked(), "proofs_unavailable").status, 503);
      await redis.configSet("maxmemory", "0");
      ok(await checked());
      await kill();
      for (let times = 0; times < 3; times++) deny(await checked(), "proofs_unavailable");
      ok(await gate.check(asking({ authorization: `Bearer ${await token()}` })));
      gate.close();
    });
  },

  async "an answer that Redis does not give is an error, not a first use"() {
    for (const said of [undefined, "", "QUEUED", 1, true]) {
      const gate = await opened(redisProofs({ set: async () => said }));
      const sender = await client();
      deny(await gate.check(asking(await sender.headers(await sender.token(), URI))), "proofs_unavailable");
      gate.close();
    }
  },
};
