// The effects of gates on a process of Node.js: errors, and what is printed.

import { once } from "node:events";
import { createServer } from "node:http";
import { inspect } from "node:util";
import { createGate } from "countersign";
import { countersign } from "countersign/express";
import { deny, equal, ok } from "../assert.mjs";
import { addIssuer, issuer, policy, request, token } from "../issuer.mjs";
import { run } from "../run.mjs";

export async function open() {
  return { name: `a process of Node.js ${process.versions.node}`, play: () => run({ ...faults, ...printed, ...slices }), close() {} };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

/** The arguments of `console.error` during `work`. */
async function saying(work) {
  const { error } = console;
  const said = [];
  console.error = (...words) => void said.push(words.join(" "));
  try {
    await work();
  } finally {
    console.error = error;
  }
  return said;
}

/** Errors that end a process if it has no listener for them. */
async function uncaught(work) {
  const caught = [];
  const listen = (fault) => caught.push(fault);
  const events = ["unhandledRejection", "uncaughtException"];
  for (const event of events) process.on(event, listen);
  await work();
  await turn();
  for (const event of events) process.off(event, listen);
  return caught;
}

const faults = {
  async "a gate that does not open does not end the process, and adapters log it once"() {
    const said = await saying(async () => {
      equal(await uncaught(() => void createGate("{}")), []);
      const refused = createGate('{"contract":"2"}');
      const check = countersign(refused);
      equal(await uncaught(() => countersign(refused)), []);
      for (let number = 0; number < 3; number++) {
        const answered = { setHeader() {}, end() {} };
        await check({ method: "GET", url: "/healthz", headers: {}, rawHeaders: [] }, answered, () => {});
        equal(answered.statusCode, 503);
      }
    });
    equal(said.length, 2);
    equal(said.every((line) => line.includes("every request is denied") && line.includes("`issuers` is missing here")), true);
  },

  async "the function that opens a gate is called again after an error, at most every five seconds"() {
    let tries = 0;
    const keys = await issuer();
    const check = countersign(() => (++tries < 2 ? createGate("{}") : createGate(policy, { fetch: keys.fetch })));
    const ask = async () => {
      const answered = { setHeader() {}, end() {} };
      let passed = false;
      await check({ method: "GET", url: "/healthz", headers: { host: "a.example" }, rawHeaders: ["host", "a.example"] }, answered, () => (passed = true));
      await turn();
      return passed;
    };
    const real = performance.now;
    const said = await saying(async () => {
      equal([await ask(), await ask(), tries], [false, false, 1]);
      performance.now = () => real.call(performance) + 6_000;
      equal([await ask(), await ask(), tries], [true, true, 2]);
      delete performance.now;
    });
    equal([said.length, performance.now === real], [1, true]);
  },

  async "a handler behind the gate that throws runs once, and its error stays uncaught"() {
    const keys = await issuer();
    const check = countersign(createGate(policy, { fetch: keys.fetch }));
    let ran = 0;
    const server = createServer((asked, answer) =>
      check(asked, answer, () => {
        ran++;
        answer.end();
        throw new Error("of the handler");
      }),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const caught = await uncaught(async () => {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/healthz`);
      equal(response.status, 200);
    });
    server.close();
    equal([ran, caught.map(({ message }) => message)], [1, ["of the handler"]]);
  },

  async "one warning if Express ignores case and the policy does not"() {
    const { warn } = console;
    const said = [];
    console.warn = (...words) => void said.push(words.join(" "));
    try {
      const denied = { allow: false, status: 403, code: "rule_denied", message: "", challenge: null, retryAfterS: null };
      for (const [exact, sensitive, warnings] of [[true, false, 1], [true, true, 0], [false, false, 0]]) {
        said.length = 0;
        const check = countersign({ check: async () => denied, isCaseExact: () => exact });
        for (let number = 0; number < 3; number++) {
          await turn();
          await check({ url: "/", headers: {}, rawHeaders: [], app: { enabled: () => sensitive } }, { setHeader() {}, end() {} }, () => {});
        }
        equal([exact, sensitive, said.length], [exact, sensitive, warnings]);
      }
    } finally {
      console.warn = warn;
    }
  },

  async "a response that cannot be written is one error"() {
    const keys = await issuer();
    const check = countersign(createGate(policy, { fetch: keys.fetch }));
    const told = [];
    const gone = { setHeader: () => { throw new Error("gone"); }, end() {} };
    await check({ method: "GET", url: "/nowhere", headers: {}, rawHeaders: [] }, gone, (fault) => told.push(fault));
    await turn();
    equal(told.map(({ message }) => message), ["gone"]);
  },
};

const printed = {
  async "a printed gate, decision or principal contains no token and no claims"() {
    const keys = await issuer();
    const gate = await createGate(policy, { fetch: keys.fetch });
    const good = await token({ sub: "subject-to-hide", tenant_id: "tenant-to-hide", scope: "assets:read scope-to-hide", email: "email-to-hide" });
    const asked = new Request("https://api.example.com/assets/1", { headers: { authorization: `Bearer ${good}` } });
    const grant = ok(await gate.check(asked));
    const denial = deny(await gate.verify(`${good.slice(0, -8)}AAAAAAAA`), "signature_invalid");
    const hidden = ["to-hide", good.slice(0, 40), good.slice(-40)];
    for (const value of [gate, grant, denial, grant.principal, { grant }, [grant], new Map([["grant", grant]])]) {
      for (const text of [inspect(value, { depth: 9, showHidden: true, getters: false }), inspect(value), String(value), ...(value === grant.principal ? [] : [JSON.stringify(value)])]) {
        equal(hidden.filter((secret) => text.includes(secret)), []);
      }
    }
    equal(inspect(grant), "{ allow: true, principal: { issuer: 'platform', tokenType: null } }");
    equal(JSON.parse(JSON.stringify(grant)), { allow: true, principal: { issuer: "platform", tokenType: null } });
    // The principal itself has its fields.
    const principal = JSON.parse(JSON.stringify(grant.principal));
    equal([principal.subject, principal.tenant, principal.claims ?? null, { ...grant.principal }.subject], ["subject-to-hide", "tenant-to-hide", null, "subject-to-hide"]);
    equal(grant.principal.claims.email, "email-to-hide");
    gate.close();
  },
};

const slices = {
  async "a thousand keys of P-521 are read in slices, between which the event loop runs"() {
    const keys = await issuer();
    const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-521" }, true, ["sign", "verify"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
    for (let number = 1; number < 1_000; number++) keys.jwks.push({ kid: `p521-${number}`, kty, crv, x, y });
    const wide = { ...policy, issuers: [{ ...policy.issuers[0], algorithms: ["ES256", "ES512"] }] };
    const gate = await createGate(wide, { fetch: keys.fetch });
    let turns = 0;
    let reading = true;
    const count = () => reading && (turns++, setImmediate(count));
    setImmediate(count);
    await gate.preload();
    reading = false;
    equal(turns > 10, true);
    ok(await gate.check(await request("/assets/1")));
    gate.close();
  },

  async "the old document is in force while a new one is read, and a trap between two slices loses neither"() {
    const keys = await issuer();
    let now = Date.now();
    const gate = await createGate(policy, { fetch: keys.fetch, now: () => now });
    ok(await gate.check(await request("/assets/1")));
    await addIssuer(keys, "second");
    now += 590_000;
    const loading = gate.preload();
    ok(gate.checkSync(await request("/assets/1")));
    await loading;
    ok(gate.checkSync(await request("/assets/1", {}, "second")));
    gate.close();
  },
};
