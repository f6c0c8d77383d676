// What the app has around it: a login provider, a bridge and a service behind a gate. The first two are the command `countersign`.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGate } from "countersign";
import { countersign } from "countersign/express";
import express from "express";

export const COMMAND = process.env.COUNTERSIGN_COMMAND;

/** Starts all of it. `keys` are the public keys of the apps, by their client ids; `app` is the address to which people return. */
export async function platform({ app, keys }) {
  const folder = mkdtempSync(join(tmpdir(), "countersign-authjs-"));
  const programs = [];
  const file = (name, content) => (writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content)), join(folder, name));
  const command = async (...words) => (await promisify(execFile)(COMMAND, words, { cwd: folder })).stdout;
  const [login, issuer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const secret = randomBytes(16).toString("hex");
  const provider = { issuer: login, clientId: "web", clientSecret: secret };

  await command("dev", "keys", "--dir", "issuer", "--issuer", login);
  file("provider.json", { clients: [{ id: "web", secret, redirect_uris: [`${app}/auth/callback/dev`] }] });
  const config = file("bridge.json", {
    issuer,
    listen: issuer.slice("http://".length),
    database: { sqlite: join(folder, "bridge.db") },
    master_keys: [{ file: file("master", randomBytes(32).toString("hex")) }],
    tokens: { audiences: ["platform", "billing"] },
    login: { providers: { dev: { issuer: login, client_id: "bridge" } }, roles: { clerk: ["orders:read"] } },
    clients: Object.fromEntries(Object.entries(keys).map(([id, key]) => [id, { keys: { jwks: { keys: [key] }, algorithms: [key.alg] }, grants: ["token_exchange"], scopes: ["orders:read", "orders:write"] }])),
    exchange: { apps: Object.fromEntries(Object.keys(keys).map((id) => [id, { people_of: [login], audiences: ["platform"] }])) },
  });
  const member = (what, subject, ...roles) => command("bridge", "member", what, "--config", config, "--tenant", "acme", "--issuer", login, "--subject", subject, ...roles);

  await Promise.all([
    start(programs, folder, ["dev", "provider", "--dir", "issuer", "--config", "provider.json"], `${login}/.well-known/openid-configuration`),
    start(programs, folder, ["bridge", "--config", config], `${issuer}/.well-known/jwks.json`),
  ]);
  const policy = JSON.parse(await command("--json", "bridge", "policy", "--config", config));
  const gate = await createGate(policy, { readyMs: 10_000 });
  const service = await listening(behind(gate));
  return {
    login,
    issuer,
    provider,
    policy,
    gate,
    service: service.url,
    join: (subject) => member("set", subject, "--role", "clerk"),
    leave: (subject) => member("remove", subject),
    async close() {
      gate.close();
      await service.close();
      await Promise.all(programs.map((program) => (program.kill("SIGTERM"), program.ended)));
      rmSync(folder, { recursive: true });
    },
  };
}

function behind(gate) {
  const app = express();
  app.use(countersign(gate));
  app.get("/api/orders", ({ grant: { principal } }, response) => response.json({ issuer: principal.issuer, type: principal.tokenType, subject: principal.subject, tenant: principal.tenant, roles: principal.roles, scopes: principal.scopes }));
  return app;
}

/** A server of this process, on this port or any. */
export async function listening(app, port = 0) {
  const server = createServer(app).listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())) };
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts the command, and waits until this address answers. */
async function start(programs, folder, words, address) {
  const program = spawn(COMMAND, words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  program.stderr.on("data", (text) => (said += text));
  program.ended = once(program, "exit");
  programs.push(program);
  for (let look = 0; look < 1_200 && program.exitCode === null; look++) {
    if (await fetch(address).then(({ ok }) => ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`countersign ${words[0]} did not start: ${said}`);
}
