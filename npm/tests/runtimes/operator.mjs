// What an operator of servers uses, on this Node.js: adapters that only observe, probes, logs, OpenTelemetry, files, and real networks.

import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { context, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { createGate, CountersignError, readyResponse } from "countersign";
import { DecisionLog, toStream } from "countersign/decision-log";
import * as expressAdapter from "countersign/express";
import * as fastifyAdapter from "countersign/fastify";
import * as honoAdapter from "countersign/hono";
import { readyHandler, upgrade } from "countersign/node";
import { telemetry } from "countersign/opentelemetry";
import { shadow } from "countersign/shadow";
import { signedPolicy } from "countersign/signed-policy";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { equal, ok, rejects } from "../assert.mjs";
import { certify } from "../certificate.mjs";
import { issuer, policy, request, token } from "../issuer.mjs";
import { client } from "../proofs.mjs";
import { run } from "../run.mjs";
import { signer, withRule } from "../signed.mjs";

const { compare, Counts } = await import(new URL("../node_modules/countersign/esm/comparison.js", import.meta.url));

export async function open() {
  return { name: `an operator on Node.js ${process.versions.node}`, play: () => run({ ...observing, ...comparing, ...logging, ...measuring, ...files, ...networks }), close() {} };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const gateWith = async (options = {}) => createGate(policy, { fetch: (await issuer()).fetch, ...options });

async function listen(server) {
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `${server.address().port}`;
}

/** Servers that only observe: each says the headers that its handler sees. */
async function servers(gate) {
  const options = { observe: true };
  const app = express();
  app.use(expressAdapter.countersign(gate, options), (asked, answer) => answer.json({ ...asked.headers, grant: asked.grant ?? null, url: asked.url }));
  const fast = fastify();
  await fast.register(fastifyAdapter.countersign, { gate, ...options });
  fast.all("/*", (asked, reply) => reply.send({ ...asked.headers, grant: asked.grant, url: asked.url }));
  await fast.listen({ port: 0, host: "127.0.0.1" });
  fast.server.unref();
  const hono = new Hono();
  hono.use(honoAdapter.countersign(gate, options));
  hono.all("*", (c) => c.json({ ...c.req.header(), grant: c.get("grant") ?? null, url: new URL(c.req.url).pathname }));
  const at = (port) => (path, headers) => fetch(`http://127.0.0.1:${port}${path}`, { headers });
  return { express: at(await listen(createServer(app))), fastify: at(fast.server.address().port), hono: (path, headers) => hono.request(path, { headers }) };
}

const observing = {
  async "an adapter that observes passes every request as it came, and tells the decision"() {
    const told = [];
    const gate = await gateWith({ onDecision: (event) => void told.push(event) });
    await gate.preload();
    const bearer = `Bearer ${await token()}`;
    for (const [name, ask] of Object.entries(await servers(gate))) {
      const asked = [
        ["/assets/1", { authorization: bearer, "x-auth-subject": "admin" }, undefined],
        ["/assets/1", { "x-auth-subject": "admin" }, "token_missing"],
        ["/nowhere", {}, "rule_denied"],
      ];
      for (const [path, headers, code] of asked) {
        told.length = 0;
        const response = await ask(path, headers);
        const seen = await response.json();
        await pause(5);
        equal([name, response.status, seen.url, seen.grant, seen.authorization, seen["x-auth-subject"]], [name, 200, path, null, headers.authorization, headers["x-auth-subject"]]);
        equal(told.map(({ mode, code }) => [mode, code]), [["observed", code]]);
      }
    }
  },

  async "no request waits for an observed decision, nor for a gate that does not open"() {
    const { error } = console;
    console.error = () => {};
    try {
      const refused = createGate("{}");
      for (const gate of [await gateWith({ fetch: () => new Promise(() => {}) }), refused]) {
        for (const ask of Object.values(await servers(gate))) {
          const before = performance.now();
          equal((await ask("/assets/1", { authorization: `Bearer ${await token()}` })).status, 200);
          equal(performance.now() - before < 1_000, true);
        }
      }
    } finally {
      console.error = error;
    }
  },

  async "a request that is observed passes before its documents come, and the decision follows when they have come"() {
    const told = [];
    const keys = await issuer();
    let come;
    const waiting = new Promise((resolve) => (come = resolve));
    const gate = await createGate(policy, { fetch: async (...asked) => (await waiting, keys.fetch(...asked)), onDecision: (event) => void told.push(event) });
    const all = Object.values(await servers(gate));
    for (const ask of all) equal((await ask("/assets/1", { authorization: `Bearer ${await token()}` })).status, 200);
    equal(told.length, 0);
    come();
    for (let times = 0; times < 200 && told.length < all.length; times++) await pause(10);
    equal(told.map(({ mode, decision, waitedMs }) => [mode, decision, waitedMs > 0]), Array(all.length).fill(["observed", "allow", true]));
  },

  async "an observed request uses up no proof"() {
    const asked = [];
    const told = [];
    const places = [{ header: "authorization", scheme: "DPoP" }];
    const options = { onDecision: ({ mode, decision, code }) => void told.push([mode, code ?? decision]), proofs: ({ id }) => !asked.includes(id) && asked.push(id) > 0 };
    const keys = await issuer();
    const gate = await createGate({ ...policy, credentials: places }, { fetch: keys.fetch, ...options });
    const app = express();
    app.use(expressAdapter.countersign(gate, { observe: true }), (_, answer) => answer.end());
    const uri = `http://127.0.0.1:${await listen(createServer(app))}/assets/1`;
    const sender = await client();
    const headers = await sender.headers(await sender.token(), uri);
    for (let times = 0; times < 2; times++) equal((await fetch(uri, { headers })).status, 200);
    for (let times = 0; times < 200 && told.length < 2; times++) await pause(10);
    equal([told, asked.length], [Array(2).fill(["observed", "allow"]), 0]);
  },

  async "an observed upgrade is granted as it came"() {
    const told = [];
    const gate = await gateWith({ onDecision: (event) => void told.push(event) });
    const granted = [];
    const socket = { destroyed: false, end() {}, on() {} };
    await upgrade(gate, (...given) => void granted.push(given), { observe: true })({ method: "GET", url: "/assets/1", headers: {}, rawHeaders: ["host", "a.example"] }, socket, "first");
    await pause(5);
    equal([granted.length, granted[0][2], granted[0][3] ?? null, told.map(({ mode, code }) => [mode, code])], [1, "first", null, [["observed", "token_missing"]]]);
  },

  async "a readiness probe answers 503 until the gate is ready, then 200"() {
    const keys = await issuer();
    let isUp = false;
    const gate = await createGate(policy, { fetch: (...asked) => (isUp ? keys.fetch(...asked) : Promise.reject(new Error("down"))) });
    const app = express();
    app.get("/readyz", readyHandler(gate));
    const refused = createGate("{}");
    refused.catch(() => {});
    app.get("/never", readyHandler(refused));
    app.use(expressAdapter.countersign(gate));
    const port = await listen(createServer(app));
    const ask = async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    equal([await ask("/readyz"), await ask("/never"), readyResponse(gate).status], [503, 503, 503]);
    isUp = true;
    await pause(10);
    for (let times = 0; times < 100 && (await ask("/readyz")) !== 200; times++) await pause(50);
    equal([await ask("/readyz"), readyResponse(gate).status], [200, 200]);
  },
};

const allow = (effects) => ({ decision: { allow: true }, facts: { effects } });
const denial = (code, status = 403) => ({ decision: { allow: false, code, status }, facts: {} });
const answer = { decision: { allow: false, code: null, status: 200 }, facts: {} };

const comparing = {
  async "the table of comparisons"() {
    const table = [
      [allow("a"), undefined, "not_compared"],
      [denial("x", 503), allow("a"), "not_compared"],
      [allow("a"), denial("x", 503), "not_compared"],
      [denial("x", 503), denial("x", 503), "not_compared"],
      [denial("x"), allow("a"), "would_allow"],
      [denial("x"), answer, "would_allow"],
      [allow("a"), denial("x"), "would_deny"],
      [answer, denial("x"), "would_deny"],
      [denial("x"), denial("x"), "agree"],
      [denial("x"), denial("y"), "differs"],
      [allow("a"), allow("a"), "agree"],
      [allow("a"), allow("b"), "differs"],
      [answer, answer, "agree"],
      [allow("a"), answer, "differs"],
      [answer, allow("a"), "differs"],
    ];
    for (const [index, [inForce, candidate, wanted]] of table.entries()) equal([index, compare(inForce, candidate)], [index, wanted]);
  },

  async "at most a thousand different comparisons are counted apart"() {
    const counts = new Counts();
    for (let rule = 0; rule < 1_500; rule++) for (let times = 0; times < 2; times++) counts.add("agree", `/rules/${rule}`, null);
    equal([counts.all().length, counts.all()[999].count, counts.other], [1_000, 2, 1_000]);
  },
};

const event = (changed = {}) => ({ decision: "deny", code: "token_missing", status: 401, waitedMs: 0, mode: "enforced", policyDigest: "p", moduleDigest: "m", ...changed });

const logging = {
  async "a log has one JSON line for each decision, with what the caller adds"() {
    const lines = [];
    const log = new DecisionLog({ write: (text) => void lines.push(...text.trimEnd().split("\n")), oneAllowOf: 1, add: (_, asked) => ({ request_id: asked?.headers.get("x-request-id"), decision: "other" }) });
    const gate = await gateWith({ onDecision: log.record });
    await gate.check(new Request("https://api.example.com/assets/secret-path?q=1", { headers: { "x-request-id": "r-1" } }));
    await gate.check(await request("/assets/1"));
    await log.flush();
    const [{ time, policy_digest, module_digest, ...denied }, allowed] = lines.map((line) => JSON.parse(line));
    equal([/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time), policy_digest, module_digest.length], [true, gate.status().policyDigest, 64]);
    equal(denied, { request_id: "r-1", decision: "deny", code: "token_missing", status: 401, rule: { index: 1, path: "/assets/**" }, waited_ms: 0, mode: "enforced" });
    equal([allowed.decision, allowed.issuer, allowed.remembered, lines.length, lines.join("").includes("secret-path")], ["allow", "platform", false, 2, false]);
  },

  async "denials and comparisons that do not agree are all logged, of the others one of so many"() {
    const counted = async (options) => {
      let lines = 0;
      const log = new DecisionLog({ write: (text) => void (lines += text.split("\n").length - 1), places: 10_000, ...options });
      for (let index = 0; index < 1_000; index++) log.record(event({ decision: "allow" }));
      const allows = (await log.flush(), lines);
      for (let index = 0; index < 50; index++) log.record(event());
      for (const comparison of ["would_allow", "would_deny", "differs", "not_compared"]) log.record(event({ decision: "allow", mode: "shadow", comparison }));
      await log.flush();
      return [allows, lines - allows, log.dropped];
    };
    equal(await counted({}), [10, 54, 0]);
    equal(await counted({ oneAllowOf: 4 }), [250, 54, 0]);
    equal(await counted({ oneAllowOf: 0 }), [0, 54, 0]);
  },

  async "of allowed requests and of comparisons that agree, the first of so many is logged, each by its own counter"() {
    const lines = [];
    const log = new DecisionLog({ write: (text) => void lines.push(...text.trimEnd().split("\n")), oneAllowOf: 4 });
    for (let number = 0; number < 8; number++) {
      log.record(event({ decision: number % 2 === 0 ? "allow" : "answer", number }));
      // Both deny: the denial itself has a line of its own.
      log.record(event({ mode: "shadow", comparison: "agree", number }));
    }
    await log.flush();
    equal(lines.map((line) => JSON.parse(line)).map(({ mode, number }) => [mode, number]), [["enforced", 0], ["shadow", 0], ["enforced", 4], ["shadow", 4]]);
  },

  async "a log whose writer is slow or fails drops events and counts them, in their order"() {
    const written = [];
    let free;
    const log = new DecisionLog({ write: (text) => (written.push(text), new Promise((resolve) => (free = resolve))), places: 4 });
    const record = (from, to) => { for (let index = from; index < to; index++) log.record(event({ index })); };
    record(0, 6);
    equal([log.dropped, written.length], [2, 0]);
    await pause(5);
    record(6, 12);
    equal([log.dropped, written.length], [4, 1]);
    free();
    await pause(5);
    free();
    await log.flush();
    equal(written.join("").trim().split("\n").map((line) => JSON.parse(line).index), [0, 1, 2, 3, 6, 7, 8, 9]);
    const failing = new DecisionLog({ write: () => Promise.reject(new Error("the disk is full")), add: () => { throw new Error("no"); } });
    failing.record(event());
    equal(failing.dropped, 1);
    const full = new DecisionLog({ write: () => { throw new Error("the disk is full"); } });
    full.record(event());
    await full.flush();
    equal(full.dropped, 1);
  },

  async "a log waits for a stream that is full"() {
    let text = "";
    const stream = new Writable({ highWaterMark: 8, write: (chunk, _, done) => setTimeout(() => ((text += chunk), done()), 5) });
    const log = new DecisionLog({ write: toStream(stream) });
    for (let times = 0; times < 3; times++) {
      log.record(event({ times }));
      await pause(1);
    }
    await log.flush();
    equal(text.trim().split("\n").map((line) => JSON.parse(line).times), [0, 1, 2]);
  },
};

const measuring = {
  async "events are counters, a histogram and span events of OpenTelemetry"() {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const spans = new InMemorySpanExporter();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const log = { dropped: 7 };
    const gate = await gateWith({ ...telemetry({ log }), shadow: shadow(withRule("/new")) });
    const tracer = trace.getTracer("test");
    await tracer.startActiveSpan("request", async (span) => {
      await gate.check(await request("/assets/1"));
      await gate.check(new Request("https://api.example.com/new"));
      span.end();
    });
    gate.checkSync(new Request("https://api.example.com/new"));
    await pause(5);
    await reader.forceFlush();
    const all = exporter.getMetrics().at(-1).scopeMetrics.flatMap(({ metrics }) => metrics);
    const points = (name) => all.find(({ descriptor }) => descriptor.name === name).dataPoints.map(({ attributes, value }) => [attributes, value.count ?? value]);
    const allowed = { "countersign.decision": "allow", "countersign.rule": "/rules/1", "countersign.issuer": "platform", "countersign.mode": "enforced", "countersign.remembered": false };
    const denied = { "countersign.decision": "deny", "countersign.code": "rule_denied", "countersign.mode": "enforced" };
    equal(points("countersign.decisions"), [[allowed, 1], [denied, 2]]);
    equal(points("countersign.decision.wait"), [[{ "countersign.mode": "enforced" }, 3]]);
    const wait = all.find(({ descriptor }) => descriptor.name === "countersign.decision.wait");
    equal([wait.descriptor.unit, wait.dataPoints[0].value.buckets.boundaries], ["s", [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]]);
    equal(points("countersign.shadow.comparisons").find(([attributes]) => attributes["countersign.comparison"] === "would_allow"), [{ "countersign.comparison": "would_allow", "countersign.rule": "/rules/3" }, 2]);
    equal(points("countersign.documents")[0], [{ "countersign.document.kind": "jwks", "countersign.issuer": "platform", "countersign.outcome": "accepted" }, 2]);
    equal(points("countersign.log.dropped"), [[{}, 7]]);
    const [span] = spans.getFinishedSpans();
    equal(span.events.map(({ name, attributes }) => [name, attributes]), [["countersign.decision", allowed], ["countersign.decision", denied]]);
    await reader.shutdown();
  },
};

const hasFiles = process.getBuiltinModule !== undefined;

const files = {
  async "a signed policy in a file, and the highest version over a restart"() {
    const folder = mkdtempSync(`${tmpdir()}/countersign-`);
    try {
      const [file, stateFile] = [`${folder}/policy.jws`, `${folder}/version`];
      const { sign, trust } = await signer();
      const options = { url: pathToFileURL(file), trust, stateFile, onError: () => {} };
      const [third, fourth] = [await sign(withRule("/three"), 3), await sign(withRule("/four"), 4)];
      writeFileSync(file, third);
      if (!hasFiles) {
        equal((await rejects(createGate(signedPolicy(options)), CountersignError)).problems[0].message, "this runtime cannot read files");
        return;
      }
      const source = signedPolicy(options);
      const gate = await createGate(source);
      equal([readFileSync(stateFile, "utf8"), gate.status().source.version], ['{"version":3}\n', 3]);
      writeFileSync(file, fourth);
      equal([await source.poll(), readFileSync(stateFile, "utf8"), readdirSync(folder).sort()], [true, '{"version":4}\n', ["policy.jws", "version"]]);
      ok(await gate.check(new Request("https://api.example.com/four")));
      // A policy with errors raises no version.
      writeFileSync(file, await sign({ ...policy, rules: 1 }, 5));
      equal([await source.poll(), readFileSync(stateFile, "utf8")], [false, '{"version":4}\n']);
      gate.close();
      writeFileSync(file, third);
      equal((await rejects(createGate(signedPolicy(options)), CountersignError)).problems[0].code, "version_old");
      // Without the file, a new process does not know better.
      ok(await (await createGate(signedPolicy({ ...options, stateFile: undefined }))).check(new Request("https://api.example.com/three")));
      for (const text of ["garbage", "4", "{}", '{"version":-1}', '{"version":1.5}', '{"version":"4"}', "null", `{"version":4}${" ".repeat(1 << 16)}`]) {
        writeFileSync(stateFile, text);
        equal([text, (await rejects(createGate(signedPolicy(options)), CountersignError)).problems[0].code], [text, "state_file_unusable"]);
      }
      // As another host writes it.
      writeFileSync(stateFile, ' {"version": 3}');
      ok(await (await createGate(signedPolicy(options))).check(new Request("https://api.example.com/three")));
      const lost = { ...options, stateFile: `${folder}/none/version` };
      equal((await rejects(createGate(signedPolicy(lost)), CountersignError)).problems[0].code, "state_file_unusable");
      // Larger than any policy.
      writeFileSync(file, " ".repeat((32 << 20) + 1));
      equal((await rejects(createGate(signedPolicy(options)), CountersignError)).problems[0].message, `the file has more than ${32 << 20} bytes`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  async "a signed policy is converted before it is opened"() {
    const { fromYaml } = await import("countersign/yaml");
    const { sign, trust } = await signer();
    const yaml = 'contract: "1"\nissuers:\n  - name: a\n    issuer: https://a.example\n    audiences: [a]\n    algorithms: [ES256]\n    keys: { discovery: true }\nrules:\n  - path: /yaml\n    public: true\n';
    const body = await sign(yaml, 1);
    const gate = await createGate(signedPolicy({ url: "https://policies.example/", trust, convert: fromYaml }), { fetch: async () => new Response(body) });
    ok(await gate.check(new Request("https://api.example.com/yaml")));
  },
};

const networks = {
  async "the reasons of fetches that fail, with the runtime's own fetch"() {
    const closed = createServer();
    const port = await listen(closed);
    closed.close();
    const { key, cert } = certify("127.0.0.1");
    const tls = createTls({ key, cert }, (_, answer) => answer.end("{}"));
    const reset = createTcp((socket) => socket.destroy());
    const addresses = {
      connection: [`http://127.0.0.1:${port}/`, `http://127.0.0.1:${await listen(reset)}/`],
      tls: [`https://127.0.0.1:${await listen(tls)}/`],
      dns: ["https://no-such-host.invalid/"],
    };
    for (const [reason, uris] of Object.entries(addresses)) {
      for (const uri of uris) {
        const told = [];
        const keys = { jwks_uri: uri, insecure_http: true };
        const gate = await createGate({ ...policy, issuers: [{ ...policy.issuers[0], keys }] }, { onDocument: (event) => void told.push(event) });
        await gate.preload();
        equal([uri, told.map(({ outcome, reason }) => [outcome, reason])], [uri, [["failed", reason]]]);
        gate.close();
      }
    }
  },
};
