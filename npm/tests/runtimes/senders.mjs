// Senders of tokens over real connections: TLS with certificates of clients, and proofs that come at the same time.

import { once } from "node:events";
import { createServer, request as send } from "node:http";
import { connect, createSecureServer, constants } from "node:http2";
import { createServer as createTlsServer, request as sendTls } from "node:https";
import { inspect } from "node:util";
import { serve } from "@hono/node-server";
import { createGate } from "countersign";
import { countersign as expressGate } from "countersign/express";
import { countersign as fastifyGate } from "countersign/fastify";
import { countersign as honoGate } from "countersign/hono";
import { head, upgrade } from "countersign/node";
import { generateKeyPair, generateProof, calculateThumbprint } from "dpop";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { equal } from "../assert.mjs";
import { certify } from "../certificate.mjs";
import { issuer, policy, token } from "../issuer.mjs";
import { client } from "../proofs.mjs";
import { run } from "../run.mjs";

const authority = certify("authority");
const [server, own, other] = ["localhost", "own", "other"].map((name) => certify(name, authority));
const selfSigned = certify("own");
const TLS = { key: server.key, cert: server.cert, ca: authority.cert, requestCert: true, rejectUnauthorized: false };
const bound = { ...policy, credentials: [{ header: "authorization", scheme: "Bearer" }, { header: "authorization", scheme: "DPoP" }] };

export async function open() {
  const keys = await issuer();
  const gate = await createGate(bound, { fetch: keys.fetch });
  const tests = { ...upgrades(gate), ...printed(keys) };
  for (const [name, serving] of Object.entries(servers(gate))) Object.assign(tests, overTls(name, serving), ...(name.includes("2") ? [] : [proofs(name, serving)]));
  return { name: `senders on Node.js ${process.versions.node}`, play: () => run(tests), close: () => gate.close() };
}

const answered = (request, response) => response.end(JSON.stringify({ subject: request.grant.principal.subject }));

/** A server of each framework, with TLS or without; it says its port and how it is closed. */
function servers(gate) {
  const node = async (listener, tls) => {
    const started = tls ? createTlsServer(TLS, listener) : createServer(listener);
    started.listen(0, "127.0.0.1");
    await once(started, "listening");
    return { port: started.address().port, close: () => (started.close(), started.closeAllConnections()) };
  };
  return {
    http: (tls) => {
      const check = expressGate(gate);
      return node((request, response) => void check(request, response, () => answered(request, response)), tls);
    },
    express: (tls) => node(express().use(expressGate(gate), answered), tls),
    async fastify(tls) {
      const app = fastify(tls ? { https: TLS } : {});
      await app.register(fastifyGate, { gate });
      app.all("/*", async ({ grant }) => ({ subject: grant.principal.subject }));
      await app.listen({ port: 0, host: "127.0.0.1" });
      return { port: app.server.address().port, close: () => app.close() };
    },
    async hono(tls) {
      const app = new Hono();
      app.use(honoGate(gate));
      app.all("*", (c) => c.json({ subject: c.get("grant").principal.subject }));
      const started = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", ...(tls && { createServer: createTlsServer, serverOptions: TLS }) });
      await once(started, "listening");
      return { port: started.address().port, close: () => (started.close(), started.closeAllConnections()) };
    },
    async "http/2"() {
      const check = expressGate(gate);
      const started = createSecureServer(TLS, (request, response) => void check(request, response, () => answered(request, response)));
      started.listen(0, "127.0.0.1");
      await once(started, "listening");
      return { port: started.address().port, close: () => started.close(), isHttp2: true };
    },
  };
}

/** The status of the response, its code, and its headers. */
async function ask({ port, isHttp2 }, headers, tls, path = "/assets/1") {
  const all = { host: `localhost:${port}`, ...headers };
  if (isHttp2) return askHttp2(port, headers, tls, path);
  const options = { host: "127.0.0.1", port, path, headers: all, agent: false };
  const sent = tls ? sendTls({ ...options, servername: "localhost", ca: authority.cert, ...tls }) : send(options);
  sent.end();
  const [response] = await once(sent, "response");
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, ...JSON.parse(text) };
}

async function askHttp2(port, headers, tls, path) {
  const session = connect(`https://localhost:${port}`, { host: "127.0.0.1", servername: "localhost", ca: authority.cert, ...tls });
  const stream = session.request({ [constants.HTTP2_HEADER_PATH]: path, ...headers });
  const [answer] = await once(stream, "response");
  let text = "";
  for await (const part of stream) text += part;
  session.close();
  return { status: answer[":status"], headers: answer, ...JSON.parse(text) };
}

function overTls(name, serving) {
  return {
    async [`${name}: the certificate of the client is the one of its TLS`]() {
      const served = await serving(true);
      try {
        const headers = { authorization: `Bearer ${await token({ cnf: { "x5t#S256": own.thumbprint } })}`, "client-cert": own.thumbprint };
        const said = async (certificate) => {
          const { status, code, subject } = await ask(served, headers, certificate ? { key: certificate.key, cert: certificate.cert } : {});
          return [status, code ?? subject];
        };
        for (let times = 0; times < 2; times++) equal(await said(own), [200, "user-1"]);
        equal(await said(other), [401, "proof_invalid"]);
        equal(await said(undefined), [401, "proof_missing"]);
        // Nobody has issued it: the client has its key, and that counts.
        const unknown = { authorization: `Bearer ${await token({ cnf: { "x5t#S256": selfSigned.thumbprint } })}` };
        equal((await ask(served, unknown, { key: selfSigned.key, cert: selfSigned.cert })).status, 200);
      } finally {
        await served.close();
      }
    },

    async [`${name}: a proof is for the scheme of the connection`]() {
      const served = await serving(true);
      try {
        const sender = await client();
        const held = await sender.token();
        const uri = `https://localhost:${served.port}/assets/1`;
        equal((await ask(served, await sender.headers(held, uri), {})).status, 200);
        equal((await ask(served, await sender.headers(held, uri.replace("https", "http")), {})).code, "proof_invalid");
      } finally {
        await served.close();
      }
    },
  };
}

function proofs(name, serving) {
  return {
    async [`${name}: of a hundred requests with one proof at the same time exactly one passes, and of a hundred with their own all`]() {
      const served = await serving(false);
      try {
        const sender = await client();
        const held = await sender.token();
        const uri = `http://localhost:${served.port}/assets/1`;
        const headers = await sender.headers(held, uri);
        const codes = (await Promise.all(Array.from({ length: 100 }, () => ask(served, headers)))).map(({ status, code }) => `${status} ${code ?? ""}`);
        equal([codes.filter((code) => code === "200 ").length, codes.filter((code) => code === "401 proof_replayed").length], [1, 99]);
        const all = await Promise.all(Array.from({ length: 100 }, async () => ask(served, await sender.headers(held, uri))));
        equal(all.filter(({ status }) => status === 200).length, 100);
      } finally {
        await served.close();
      }
    },

    async [`${name}: two headers with a proof are refused`]() {
      const served = await serving(false);
      try {
        const sender = await client();
        const held = await sender.token();
        const uri = `http://localhost:${served.port}/assets/1`;
        const two = { authorization: `DPoP ${held}`, dpop: [await sender.proof(held, uri), await sender.proof(held, uri)] };
        equal((await ask(served, two)).code, "proof_invalid");
      } finally {
        await served.close();
      }
    },
  };
}

function upgrades(gate) {
  return {
    async "the proofs of the package that the README names are good, also with a nonce and for an upgrade"() {
      const secrets = { nonces: "a secret of the nonces, of 32 bytes or more" };
      const nonces = await createGate({ ...bound, dpop: { nonce: { secret_from: "nonces" } } }, { secrets, fetch: (await issuer()).fetch });
      const pair = await generateKeyPair("ES256");
      const held = await token({ cnf: { jkt: await calculateThumbprint(pair.publicKey) } });
      const started = createServer((request, response) => void nonces.check(head(request)).then((decision) => response.writeHead(decision.allow ? 200 : decision.status, decision.nonce ? { "dpop-nonce": decision.nonce } : {}).end(JSON.stringify({ code: decision.code }))));
      started.on("upgrade", upgrade(gate, (_, socket, __, { principal }) => socket.end(`HTTP/1.1 101 Switching Protocols\r\nx-subject: ${principal.subject}\r\n\r\n`)));
      started.listen(0, "127.0.0.1");
      await once(started, "listening");
      const { port } = started.address();
      const uri = `http://localhost:${port}/assets/1`;
      const proven = async (nonce) => ({ authorization: `DPoP ${held}`, dpop: await generateProof(pair, uri, "GET", nonce, held) });
      const first = await ask({ port }, await proven());
      equal([first.status, first.code], [401, "nonce_required"]);
      equal((await ask({ port }, await proven(first.headers["dpop-nonce"]))).status, 200);
      const upgraded = async (headers) => {
        const sent = send({ host: "127.0.0.1", port, path: "/assets/1", headers: { host: `localhost:${port}`, connection: "upgrade", upgrade: "x", ...headers } });
        sent.end();
        const [response] = await Promise.race([once(sent, "upgrade"), once(sent, "response")]);
        response.destroy();
        return [response.statusCode, response.headers["x-subject"] ?? null];
      };
      const headers = await proven();
      equal([await upgraded(headers), await upgraded(headers)], [[101, "user-1"], [401, null]]);
      started.close();
      started.closeAllConnections();
      nonces.close();
    },
  };
}

function printed(keys) {
  return {
    async "a printed gate, error or state contains no secret"() {
      const hidden = "secret-to-hide-of-at-least-32-bytes";
      const gate = await createGate({ ...bound, dpop: { nonce: { secret_from: "nonces" } } }, { secrets: { nonces: hidden }, fetch: keys.fetch });
      await gate.preload();
      for (const value of [gate, gate.status(), gate.documents(), gate.verifier]) {
        for (const text of [inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value), String(value)]) equal(text.includes("hide"), false);
      }
      gate.close();
    },
  };
}
