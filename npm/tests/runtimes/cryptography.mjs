// A gate whose signatures another cryptography verifies: what it does if that fails, is late, or does not answer; and the requests that a gate sends.

import * as nodeCryptoModule from "node:crypto";
import { createHmac } from "node:crypto";
import { createGate } from "countersign";
import { deny, equal, ok } from "../assert.mjs";
import { differences } from "../differential.mjs";
import { failing } from "../failing.mjs";
import { issuer, policy, token } from "../issuer.mjs";
import { run } from "../run.mjs";

const inside = (name) => import(new URL(`../node_modules/countersign/esm/${name}.js`, import.meta.url));
const { Generation } = await inside("generation");
const { Gate } = await inside("gate");
const { sendRequest } = await inside("documents");
const { nodeCrypto } = await inside("node-crypto");
const { main } = await inside("instance");

const fail = failing();

export async function open() {
  await createGate(policy);
  // A new instance, whose calls can fail.
  main.restart();
  return { name: `other cryptography, in Node.js ${process.versions.node}`, play: () => run({ ...answers, ...keys, ...requests, ...alike }), close() {} };
}

const native = nodeCrypto(nodeCryptoModule);
/** What the gates of these tests do not use. */
const NOTHING = { secrets: new Uint8Array(), proofs: () => false };

/** A gate with the cryptography of Node.js, of which `changes` replace members. */
async function gateWith(changes, options = {}) {
  const { fetch } = await issuer();
  const settings = { fetch, fetchInit: {}, shared: true, inline: false, now: Date.now, ...NOTHING, cryptography: { ...native, ...changes } };
  const generation = new Generation(new TextEncoder().encode(JSON.stringify({ ...policy, signatures: "native" })), settings);
  await generation.preload();
  return new Gate(generation, settings, options);
}

const throwing = () => {
  throw new Error("no");
};

const answers = {
  async "cryptography that fails is `internal_error`, and never a verdict of the module"() {
    const failures = [
      { prepare: throwing },
      { prepare: () => throwing },
      { prepare: () => () => undefined },
      { prepare: () => () => 1 },
      { prepare: () => async () => throwing() },
    ];
    for (const changes of failures) {
      const gate = await gateWith(changes);
      const good = await token();
      for (let times = 0; times < 2; times++) deny(await gate.verify(good), "internal_error");
      ok(await gate.check(new Request("https://api.example.com/healthz")));
      gate.close();
    }
  },

  async "cryptography that never answers is `internal_error`, after the time that a check waits"() {
    const gate = await gateWith({ prepare: () => () => new Promise(() => {}) }, { waitMs: 100 });
    const started = performance.now();
    deny(await gate.verify(await token()), "internal_error");
    equal(performance.now() - started < 2_000, true);
    gate.close();
  },

  async "a validated mode that was left is `internal_error`"() {
    let fips = 1;
    const { prepare, fips: isFips } = nodeCrypto({ ...nodeCryptoModule, getFips: () => fips });
    equal(isFips, true);
    const gate = await gateWith({ prepare });
    ok(await gate.verify(await token()));
    fips = 0;
    deny(await gate.verify(await token({ sub: "user-2" })), "internal_error");
    gate.close();
  },

  async "a verdict after a reload, a restart or the end of a gate is ignored"() {
    const late = [];
    const asynchronous = { prepare: () => () => new Promise((resolve) => late.push(resolve)) };
    const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
    const gate = await gateWith(asynchronous, { waitMs: 2_000 });
    const waiting = gate.verify(await token());
    await turn();
    equal(late.length, 1);
    await gate.reload({ ...policy, signatures: "native" });
    late.shift()(true);
    await turn();
    // The policy in force asks again.
    equal(late.length, 1);
    main.restart();
    late.shift()(true);
    await turn();
    // And so does the new instance.
    equal(late.length, 1);
    late.shift()(true);
    ok(await waiting);
    const last = gate.verify(await token({ sub: "user-2" }));
    await turn();
    gate.close();
    late.shift()(true);
    deny(await last, "internal_error");
  },

  async "a trap between question and verdict is `internal_error`, and the next check decides"() {
    for (const name of ["gate_signatures", "gate_key", "gate_verified"]) {
      const gate = await gateWith({});
      const good = await token({ sub: name });
      fail.next = name;
      deny(await gate.verify(good), "internal_error");
      equal(fail.next, undefined);
      ok(await gate.verify(good));
      gate.close();
    }
  },

  async "many checks of one token at once leave no open questions"() {
    const gate = await createGate(policy, { fetch: (await issuer()).fetch, signatures: "webcrypto" });
    for (let number = 0; number < 20; number++) {
      const good = await token({ sub: `user-${number}` });
      (await Promise.all(Array.from({ length: 40 }, () => gate.verify(good)))).forEach(ok);
    }
    gate.close();
  },
};

const keys = {
  async "a key is prepared once for each gate, and at most 1,024 are kept"() {
    let prepared = 0;
    const counting = (algorithm, key) => (prepared++, native.prepare(algorithm, key));
    const secrets = Array.from({ length: 1_025 }, (_, number) => ({ kid: String(number), k: createHmac("sha256", "k").update(String(number)).digest("base64url") }));
    const issuers = Array.from({ length: 11 }, (_, index) => ({ name: `own${index}`, issuer: `https://own${index}.example`, audiences: ["own"], algorithms: ["HS256"], keys: { secrets: secrets.slice(100 * index, 100 * index + 100) } }));
    const own = { contract: "1", issuers, rules: [{ path: "/", public: true }] };
    const settings = { fetch: throwing, fetchInit: {}, shared: true, inline: false, now: Date.now, ...NOTHING, cryptography: { ...native, prepare: counting } };
    const generation = new Generation(new TextEncoder().encode(JSON.stringify(own)), settings);
    const gate = new Gate(generation, settings, {});
    const signed = (kid, sub) => {
      const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const input = `${encode({ alg: "HS256", kid: String(kid) })}.${encode({ iss: `https://own${Math.floor(kid / 100)}.example`, aud: "own", sub, exp: Math.floor(Date.now() / 1000) + 60 })}`;
      return `${input}.${createHmac("sha256", Buffer.from(secrets[kid].k, "base64url")).update(input).digest("base64url")}`;
    };
    for (let times = 0; times < 5; times++) ok(await gate.verify(signed(0, `user-${times}`)));
    equal(prepared, 1);
    for (let kid = 1; kid <= 1_024; kid++) ok(await gate.verify(signed(kid, "user")));
    equal(prepared, 1_025);
    ok(await gate.verify(signed(0, "again")));
    equal(prepared, 1_026);
    gate.close();
  },

  async "an explanation of a token that was never checked shows its signature"() {
    const gate = await gateWith({});
    const asked = new Request("https://api.example.com/assets/1", { headers: { authorization: `Bearer ${await token()}` } });
    equal(gate.explain(asked).find(({ check }) => check === "signature").verdict, "pass");
    gate.close();
  },
};

const HIDDEN = { headers: [["authorization", "Basic secret-to-hide"], ["content-type", "application/x-www-form-urlencoded"]], body: "token=token-to-hide" };
const asked = (ticket, changes = {}) => ({ ticket, issuer: "platform", method: "POST", uri: "https://auth.example.com/introspect", ...HIDDEN, timeout_ms: 200, max_bytes: 100, ...changes });

const requests = {
  async "a request is sent as the gate says it, within its bounds"() {
    const sent = [];
    const fetcher = (answer) => async (uri, init) => (sent.push({ uri, init }), answer());
    const init = { credentials: "omit", cf: { cacheEverything: true } };
    const text = async (request, answer) => {
      const answered = await sendRequest(request, fetcher(answer), init);
      return answered.failed ?? [answered.status, new TextDecoder().decode(answered.body), answered.cacheControl];
    };
    equal(await text(asked(1), () => new Response("{}", { headers: { "cache-control": "no-store" } })), [200, "{}", "no-store"]);
    const [{ uri, init: how }] = sent;
    equal([uri, how.method, how.headers, how.body, how.redirect, how.credentials, how.cf ?? null], ["https://auth.example.com/introspect", "POST", HIDDEN.headers, HIDDEN.body, "manual", "omit", null]);
    equal(await text(asked(1, { method: "GET", body: "" }), () => new Response("{}")), [200, "{}", ""]);
    equal(sent[1].init.body, null);
    equal(await text(asked(1), () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } })), [302, "", ""]);
    equal(await text(asked(1), () => new Response("x".repeat(101))), "too_large");
    equal(await text(asked(1), () => new Promise(() => {})), "timeout");
    equal(await text(asked(1), throwing), "connection");
  },
};

const alike = {
  async "random and crafted signatures: the module, node:crypto and WebCrypto decide alike"() {
    const seed = Date.now() % 2 ** 31;
    const { differences: found, codes } = await differences(700, seed, ["native", "webcrypto"]);
    equal([seed, found], [seed, []]);
    equal(Object.keys(codes).sort(), ["allow", "signature_invalid"]);
  },
};
