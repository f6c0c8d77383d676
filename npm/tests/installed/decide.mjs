// Runs the code of the README, once for each decision, and prints the answers. It is copied next to that code.

import { once } from "node:events";
import { createRequire } from "node:module";
import { WebSocket } from "ws";
import { bearer, serveKeys } from "./issuer.mjs";

serveKeys();
const GOOD = { headers: bearer("acme") };
const WRONG_TENANT = { headers: bearer("globex") };
const NONE = { headers: {} };
const url = (path) => `https://api.example.com${path}`;

const parts = {
  async first() {
    const { handle } = await import("./first.js");
    const answers = await Promise.all([GOOD, NONE, WRONG_TENANT].map((given) => handle(new Request(url("/orgs/acme/seats"), given))));
    return answers.map(({ status }) => status);
  },

  files: async () => decisions((await import("./files.js")).gates[1]),
  yaml: async () => decisions((await import("./yaml.js")).gate),
  require: async () => decisions(await createRequire(import.meta.url)("./require.cjs").gate),

  async express() {
    const server = (await import("./express.js")).app.listen(0, "127.0.0.1");
    await once(server, "listening");
    return statuses((given) => fetch(`http://127.0.0.1:${server.address().port}/me`, given));
  },

  async fastify() {
    const { app } = await import("./fastify.js");
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    return statuses((given) => fetch(`${address}/me`, given));
  },

  async hono() {
    const { app } = await import("./hono.js");
    return statuses((given) => app.request(url("/me"), given));
  },

  async sockets() {
    const { server } = await import("./sockets.js");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connect = (given) => new WebSocket(`ws://127.0.0.1:${server.address().port}/me`, given);
    const [message] = await once(connect(GOOD), "message");
    const [, { statusCode }] = await once(connect(NONE), "unexpected-response");
    return [String(message), statusCode];
  },
};

async function statuses(ask) {
  const answers = await Promise.all([GOOD, NONE].map(ask));
  return answers.map(({ status }) => status);
}

async function decisions(gate) {
  const decided = await Promise.all([GOOD, NONE].map((given) => gate.check(new Request(url("/me"), given))));
  return decided.map(({ allow, code }) => (allow ? "allow" : code));
}

const answers = {};
for (const [name, part] of Object.entries(parts)) answers[name] = await part().catch(String);
console.log(JSON.stringify(answers));
process.exit(); // the servers would keep it running
