// The adapters in their frameworks, over raw sockets: a handler sees only what the gate has checked and set.

import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2 } from "node:http2";
import { connect } from "node:net";
import { serve } from "@hono/node-server";
import { createGate } from "countersign";
import { countersign as expressGate } from "countersign/express";
import { countersign as fastifyGate } from "countersign/fastify";
import { countersign as honoGate } from "countersign/hono";
import { upgrade } from "countersign/node";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { WebSocket, WebSocketServer } from "ws";
import { equal } from "../assert.mjs";
import { issuer, policy, token } from "../issuer.mjs";
import { run } from "../run.mjs";

const SPOOFED = "spoofed-admin";

export async function open() {
  const keys = await issuer();
  const gate = await createGate(policy, { fetch: keys.fetch });
  await gate.preload();
  const servers = await Promise.all([onHttp(gate), onExpress(gate), onFastify(gate, false), onHono(gate)]);
  const bypass = { bypassCorsPreflight: true };
  const bypassing = await Promise.all([onHttp(gate, bypass), onExpress(gate, bypass), onFastify(gate, false, bypass), onHono(gate, bypass)]);
  const http2 = await Promise.all([onHttp2(gate), onFastify(gate, true)]);
  return {
    name: `seams of frameworks on Node.js ${process.versions.node}`,
    play: async () => run({ ...Object.assign({}, ...servers.map((one) => views(one))), ...Object.assign({}, ...http2.map((one) => viewsOfHttp2(one))), ...preflights(bypassing), ...rewritten(gate), ...upgrades(gate) }),
    close() {
      for (const { stop } of [...servers, ...bypassing, ...http2]) stop();
    },
  };
}

/** Every view of a request that a handler in Node.js can read, with trailers. */
async function everything(request) {
  for await (const part of request) void part;
  const { headers, headersDistinct, rawHeaders, trailers, trailersDistinct, rawTrailers } = request;
  return { headers, headersDistinct, rawHeaders, trailers, trailersDistinct, rawTrailers };
}

/** Sends a text unchanged, and returns everything that it receives until the connection is closed. */
async function raw(port, text) {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(5_000, () => socket.destroy(new Error("no answer")));
  socket.write(text);
  let answer = "";
  for await (const part of socket) answer += part;
  return { status: Number(answer.slice(9, 12)), text: answer };
}

const request = (target, headers, { method = "GET", body = "" } = {}) =>
  `${method} ${target} HTTP/1.1\r\nhost: api.example.com\r\nconnection: close\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;

function views({ name, port }) {
  const spoofs = ["X-Auth-Subject", "x-auth-subject", "X_Auth_Subject", "x_auth-subject", "X-AUTH_SUBJECT"].map((spoof) => [spoof, SPOOFED]);
  return {
    async [`${name}: no view of a request shows a header that only the gate may set`]() {
      const bearer = ["authorization", `Bearer ${await token()}`];
      const body = `0\r\nx-auth-subject: ${SPOOFED}\r\nX_Auth_Subject: ${SPOOFED}\r\nx-kept: trailer\r\n\r\n`;
      const chunked = [["transfer-encoding", "chunked"], ["trailer", "x-kept"], ["x-kept", "header"]];
      for (const [target, auth, subject] of [["/healthz", [], false], ["/orgs/acme/x", [bearer], true]]) {
        for (const spoof of [...spoofs.map((one) => [one]), spoofs]) {
          const { status, text } = await raw(port, request(target, [...auth, ...spoof, ...chunked], { method: "POST", body }));
          equal([name, status, text.includes(SPOOFED), text.includes("user-1"), text.includes("header")], [name, 200, false, subject, true]);
        }
      }
    },

    async [`${name}: an escape that nothing needs is refused where a router that does not decode takes the path for another rule's, or for none's`]() {
      const bearer = ["authorization", `Bearer ${await token()}`];
      for (const target of ["/healt%68z", "/%68ealthz", "/HEALT%48Z", "/asse%74s/1", "/%61ssets/1?x", "/org%73/acme/x"]) equal([name, target, (await raw(port, request(target, [bearer]))).status], [name, target, 400]);
      for (const target of ["/assets/%2ex", "/assets/%31?x", "/assets/a%2Db", "/orgs/%61cme/x", "/assets/a%20b", "/assets/a%40b", "/assets/1?x=%61", "/assets/%C3%A9"]) equal([name, target, (await raw(port, request(target, [bearer]))).status], [name, target, 200]);
    },

    async [`${name}: a request that names two hosts is refused, and one that names the same twice is not`]() {
      const bearer = ["authorization", `Bearer ${await token()}`];
      const ask = async (target, headers = []) => (await raw(port, request(target, [bearer, ...headers]))).status;
      equal([await ask("/assets/1"), await ask("http://api.example.com/assets/1")], [200, 200]);
      for (const target of ["http://evil.example/assets/1", "http://api.example.com@evil.example/assets/1", "http://evil.example:80/assets/1", "https://evil.example/assets/1"]) equal([name, target, await ask(target)], [name, target, 400]);
      equal([name, await ask("/assets/1", [["host", "evil.example"]])], [name, 400]);
      for (const target of ["x:http://evil.example/assets/1", "x:/assets/1", "http:/assets/1", "HTTP://evil.example/assets/1", "http://evil.example", "http://api.example.com?/assets/1", "assets/1", "*", "//evil.example/assets/1"]) {
        equal([name, target, (await ask(target)) === 200], [name, target, false]);
      }
    },
  };
}

function viewsOfHttp2({ name, port }) {
  return {
    async [`${name}: no view of a request shows a header that only the gate may set`]() {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      const sent = session.request({ ":method": "POST", ":path": "/orgs/acme/x", ":authority": "api.example.com", authorization: `Bearer ${await token()}`, "x-auth-subject": SPOOFED, x_auth_subject: SPOOFED }, { waitForTrailers: true, endStream: false });
      sent.on("wantTrailers", () => sent.sendTrailers({ "x-auth-subject": SPOOFED, "x-kept": "trailer" }));
      sent.end("body");
      let text = "";
      for await (const part of sent) text += part;
      session.close();
      equal([text.includes(SPOOFED), text.includes("user-1"), text.includes('"x-kept":"trailer"')], [false, true, true]);
    },

    async [`${name}: a request that names two hosts is refused`]() {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      const ask = async (headers) => {
        const sent = session.request({ ":path": "/assets/1", authorization: `Bearer ${await token()}`, ...headers });
        const [answered] = await once(sent, "response");
        sent.close();
        return answered[":status"];
      };
      equal([await ask({ ":authority": "api.example.com" }), await ask({ ":authority": "api.example.com", host: "api.example.com" })], [200, 200]);
      equal([await ask({ ":authority": "api.example.com", host: "evil.example" }), await ask({ ":authority": "evil.example", host: "api.example.com" })], [400, 400]);
      session.close();
    },
  };
}

/** A gate in front of a CORS middleware. */
function preflights(servers) {
  const tests = {};
  for (const { name, port } of servers) {
    tests[`${name}: a CORS preflight passes unasked where that is wanted, as nobody, and nothing else does`] = async () => {
      const cors = [["origin", "https://www.example.com"], ["access-control-request-method", "PUT"]];
      const asked = async (headers, options) => raw(port, request("/orgs/acme/x", headers, { method: "OPTIONS", ...options }));
      const { status, text } = await asked([...cors, ["x-auth-subject", SPOOFED], ["X_Auth_Subject", SPOOFED], ["cookie", `session=${SPOOFED}`], ["authorization", SPOOFED]]);
      equal([name, status, text.includes(SPOOFED), text.includes("www.example.com")], [name, 200, false, true]);
      equal([name, (await asked(cors.slice(0, 1))).status, (await asked(cors.slice(1))).status], [name, 401, 401]);
      equal([name, (await asked([...cors, ["content-length", "1"]], { body: "x" })).status], [name, 401]);
      equal([name, (await asked([...cors, ["transfer-encoding", "chunked"]], { body: `0\r\nx-auth-subject: ${SPOOFED}\r\n\r\n` })).status], [name, 401]);
      equal([name, (await raw(port, request("/orgs/acme/x", cors))).status], [name, 401]);
    };
  }
  return tests;
}

/** The routed target is the checked one, or the request is refused. */
function rewritten(gate) {
  const express1 = (build) => {
    const app = express();
    build(app);
    return listening(createServer(app));
  };
  const handler = (_, response) => response.end("reached");
  return {
    async "express: a target that an earlier middleware has rewritten is refused, but not a mounted router"() {
      const server = await express1((app) => {
        app.use((asked, _, next) => {
          if (asked.url.startsWith("/rewrite")) asked.url = "/orgs/acme/x";
          if (asked.url.startsWith("/healthz/cut")) asked.url = asked.url.slice("/healthz/cut".length);
          next();
        });
        const inner = express.Router();
        inner.use(expressGate(gate), handler);
        app.use("/healthz", inner);
        const outer = express.Router();
        outer.use("/acme", inner);
        app.use("/orgs", outer);
        app.use(expressGate(gate), handler);
      });
      const bearer = ["authorization", `Bearer ${await token()}`];
      for (const [target, status] of [["/healthz", 200], ["/healthz?x=/y", 200], ["/orgs/acme/x", 200], ["/orgs/acme?x", 200], ["/assets/1", 200], ["/rewrite", 400], ["/healthz/cut/assets/1", 400], ["http://api.example.com/assets/1", 200]]) {
        equal([target, (await raw(server.port, request(target, [bearer]))).status], [target, status]);
      }
      server.stop();
    },

    async "fastify: the target that `rewriteUrl` returns is checked"() {
      const app = fastify({ rewriteUrl: ({ url }) => (url === "/healthz" ? "/assets/1" : url) });
      await app.register(fastifyGate, { gate });
      app.all("/*", handler2);
      await app.listen({ port: 0, host: "127.0.0.1" });
      const { port } = app.server.address();
      equal((await raw(port, request("/healthz", []))).status, 401);
      await app.close();
    },
  };
}

const handler2 = async () => "reached";

function upgrades(gate) {
  return {
    async "upgrades are checked too: `ws` behind the gate, on the same server"() {
      const sockets = new WebSocketServer({ noServer: true });
      const server = createServer();
      server.on(
        "upgrade",
        upgrade(gate, (asked, socket, first, grant) => {
          sockets.handleUpgrade(asked, socket, first, (client) => client.send(JSON.stringify([grant.principal.subject, asked.headers["x-auth-subject"]])));
        }),
      );
      const { port, stop } = await listening(server);
      const ask = async (headers) => {
        const client = new WebSocket(`ws://127.0.0.1:${port}/assets/1`, { headers });
        const said = await Promise.race([once(client, "message"), once(client, "unexpected-response"), once(client, "error")]);
        client.on("error", () => {});
        client.terminate();
        return said;
      };
      const [message] = await ask({ authorization: `Bearer ${await token()}`, "x-auth-subject": SPOOFED });
      equal(JSON.parse(message), ["user-1", "user-1"]);
      const [, denied] = await ask({});
      equal([denied.statusCode, denied.headers["www-authenticate"]], [401, 'Bearer realm="countersign"']);
      const { status } = await raw(port, request("/assets/1", [["upgrade", "websocket"]]).replace("connection: close", "connection: upgrade"));
      equal(status, 401);
      stop();
    },
  };
}

async function listening(server, name = "") {
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return { name, port: server.address().port, stop: () => (server.close(), server.closeAllConnections?.()) };
}

const answering = (gate, options) => {
  const check = expressGate(gate, options);
  return (asked, answer) => check(asked, answer, async () => answer.end(JSON.stringify(await everything(asked))));
};

const onHttp = (gate, options) => listening(createServer(answering(gate, options)), "http");
const onHttp2 = (gate) => listening(createHttp2(answering(gate)), "http2");

function onExpress(gate, options) {
  const app = express();
  app.use(expressGate(gate, options), async (asked, answer) => answer.end(JSON.stringify([await everything(asked), asked.get("x-auth-subject")])));
  return listening(createServer(app), "express");
}

async function onFastify(gate, http2, options) {
  const app = fastify({ http2 });
  await app.register(fastifyGate, { gate, ...options });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_, payload, done) => done(null, payload));
  app.all("/*", async (asked) => JSON.stringify([await everything(asked.raw), asked.headers]));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { name: `fastify over HTTP/${http2 ? 2 : 1}`, port: app.server.address().port, stop: () => void app.close() };
}

async function onHono(gate, options) {
  const app = new Hono();
  app.use(honoGate(gate, options));
  app.all("*", async (c) => {
    const body = await c.req.raw.text();
    const { incoming } = c.env;
    return c.json([body, [...c.req.raw.headers], c.req.header(), await everything(incoming)]);
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  return { name: "hono", port: server.address().port, stop: () => (server.close(), server.closeAllConnections()) };
}
