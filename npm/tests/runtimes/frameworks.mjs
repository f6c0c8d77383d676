// The adapters in their frameworks, on this Node.js.

import { once } from "node:events";
import { createServer, request as send } from "node:http";
import { createGate } from "countersign";
import * as expressAdapter from "countersign/express";
import * as fastifyAdapter from "countersign/fastify";
import * as honoAdapter from "countersign/hono";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { equal } from "../assert.mjs";
import { issuer, policy, token } from "../issuer.mjs";
import { run } from "../run.mjs";

export async function open() {
  const keys = await issuer();
  const gate = createGate({ ...policy, strip_credential: true }, { fetch: keys.fetch });
  const resource = "https://api.example.com/assets";
  const gated = createGate({ ...policy, challenge: { scope: true, resource_metadata: { resource } } }, { fetch: keys.fetch });
  const refused = createGate("{}");
  refused.catch(() => {});
  return {
    name: `frameworks on Node.js ${process.versions.node}`,
    play: async () => run({ ...behaviour("express", await onExpress(gate)), ...behaviour("http", await onHttp(gate)), ...behaviour("fastify", await onFastify(gate)), ...behaviour("hono", onHono(gate)), ...(await answering(gated)), ...failing(refused) }),
    close() {},
  };
}

/** `ask(method, path, headers, body)` returns status, headers and JSON. Headers are pairs, so that a name may be repeated. */
function behaviour(name, ask) {
  const bearer = async (claims) => ["authorization", `Bearer ${await token(claims)}`];
  return {
    async [`${name}: a granted request goes on with its principal and headers`]() {
      const { status, json } = await ask("GET", "/assets/1?a=b", [await bearer(), ["X-Auth-Subject", "admin"], ["x-other", "1"], ["cookie", "a=1; session=; b=2"]]);
      equal([status, json.code], [200, undefined]);
      equal(json, { subject: "user-1", tenant: "acme", forwarded: "user-1", other: "1", authorization: null, cookie: "a=1; b=2" });
    },
    async [`${name}: a denied one is answered with its challenge and goes nowhere`]() {
      const { status, headers, json } = await ask("GET", "/assets/1", []);
      equal([status, headers["www-authenticate"], headers["cache-control"]], [401, 'Bearer realm="countersign"', "no-store"]);
      equal(json, { code: "token_missing", message: "a token is required" });
      equal((await ask("GET", "/nowhere", [await bearer()])).status, 403);
      equal((await ask("GET", "/orgs/globex/x", [await bearer()])).status, 403);
    },
    async [`${name}: nobody is nobody, whatever the headers say`]() {
      const { json } = await ask("GET", "/healthz", [["x-auth-subject", "admin"]]);
      equal([json.subject, json.forwarded], [null, null]);
    },
    async [`${name}: two different tokens are too many`]() {
      const { status, json } = await ask("GET", "/assets/1", [await bearer(), await bearer({ sub: "other" })]);
      equal([status, json.code], [400, "token_multiple"]);
    },
    async [`${name}: a body goes through`]() {
      const { status, json } = await ask("POST", "/orgs/acme/x", [await bearer()], "hello");
      equal([status, json.body], [200, "hello"]);
    },
  };
}

/** The gate answers the metadata of a protected resource itself (RFC 9728). */
async function answering(gate) {
  const servers = { express: await onExpress(gate), http: await onHttp(gate), fastify: await onFastify(gate), hono: onHono(gate) };
  const tests = {};
  for (const [name, ask] of Object.entries(servers)) {
    tests[`${name}: an answer of the gate is sent as it is`] = async () => {
      const { status, headers, json } = await ask("GET", `${name === "hono" ? "http://api.example.com" : ""}/.well-known/oauth-protected-resource/assets?a=b`, []);
      equal([status, json], [200, { resource: "https://api.example.com/assets" }]);
      // Fastify adds a charset.
      equal([headers["content-type"].split(";")[0], headers["access-control-allow-origin"]], ["application/json", "*"]);
    };
    tests[`${name}: a challenge names the scopes and the metadata`] = async () => {
      const { headers } = await ask("GET", "/assets/1", []);
      equal(headers["www-authenticate"], 'Bearer realm="countersign", scope="assets:read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/assets"');
    };
  }
  return tests;
}

/** If the policy does not open, every request is denied. */
function failing(refused) {
  return {
    async "a gate that did not open denies every request"() {
      for (const ask of [await onExpress(refused), onHono(refused)]) {
        const { status, json } = await ask("GET", "/healthz", []);
        equal([status, json.code], [503, "internal_error"]);
      }
    },
  };
}

const said = (grant, header) => ({
  subject: grant.principal?.subject ?? null,
  tenant: grant.principal?.tenant ?? null,
  forwarded: header("x-auth-subject") ?? null,
  other: header("x-other") ?? null,
  authorization: header("authorization") ?? null,
  cookie: header("cookie") ?? null,
});

function onExpress(gate) {
  const app = express();
  const inside = express.Router();
  inside.use(expressAdapter.countersign(gate), express.text(), (request, response) => {
    const seen = said(request.grant, (name) => request.headers[name]);
    response.json(request.method === "POST" ? { body: request.body } : seen);
  });
  // In a mounted router, the gate must still read the whole path.
  for (const path of ["/assets", "/orgs/acme"]) app.use(path, inside);
  app.use(inside);
  return listen(createServer(app));
}

function onHttp(gate) {
  const check = expressAdapter.countersign(gate);
  return listen(
    createServer((request, response) =>
      check(request, response, async () => {
        let body = "";
        for await (const part of request) body += part;
        response.end(JSON.stringify(request.method === "POST" ? { body } : said(request.grant, (name) => request.headers[name])));
      }),
    ),
  );
}

async function onFastify(gate) {
  const app = fastify();
  await app.register(fastifyAdapter.countersign, { gate });
  app.all("/*", (request, reply) => reply.send(request.method === "POST" ? { body: request.body } : said(request.grant, (name) => request.headers[name])));
  await app.listen({ port: 0, host: "127.0.0.1" });
  app.server.unref();
  return asking(app.server);
}

function onHono(gate) {
  const app = new Hono();
  app.use(honoAdapter.countersign(gate));
  app.all("*", async (c) => c.json(c.req.method === "POST" ? { body: await c.req.text() } : said(c.get("grant"), (name) => c.req.header(name))));
  return async (method, path, pairs, body) => {
    const response = await app.request(path, { method, headers: new Headers(pairs), body });
    return { status: response.status, headers: Object.fromEntries(response.headers), json: await response.json() };
  };
}

async function listen(server) {
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return asking(server);
}

/** Sends the pairs unchanged; `fetch` would join them. */
function asking(server) {
  const { port } = server.address();
  return async (method, path, pairs, body) => {
    const headers = [["host", "api.example.com"], ["content-type", "text/plain"], ["content-length", body?.length ?? 0], ["connection", "close"], ...pairs].flat();
    const sent = send({ host: "127.0.0.1", port, method, path, headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    let text = "";
    for await (const part of response) text += part;
    return { status: response.statusCode, headers: response.headers, json: JSON.parse(text) };
  };
}
