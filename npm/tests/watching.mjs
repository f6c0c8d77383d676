// What a gate tells its operator, and candidates beside it, in any runtime.

import { issuer, policy, request, token } from "./issuer.mjs";
import { deny, equal, ok, rejects } from "./assert.mjs";

const KEY = "a-key-that-nobody-may-see";
const named = { ...policy, rules: policy.rules.map((rule, index) => (index === 1 ? { ...rule, name: "assets" } : rule)) };
const asking = (path, headers = {}) => new Request(`https://api.example.com${path}`, { headers });

/** Hooks that keep what they are told. */
function hooks() {
  const [decisions, documents, requests] = [[], [], []];
  const onDecision = (event, request) => void (decisions.push(event), requests.push(request));
  return { decisions, documents, requests, options: { onDecision, onDocument: (event) => void documents.push(event) } };
}

export function watching({ createGate, CountersignError, readyResponse, fail }) {
  return { ...decisions(createGate, CountersignError, fail), ...documents(createGate), ...readiness(createGate, readyResponse) };
}

function decisions(createGate, CountersignError, fail) {
  return {
    async "without a hook for it, no event is made"() {
      const keys = await issuer();
      const gate = await createGate(named, { fetch: keys.fetch, onDocument: () => {}, subjectKey: KEY });
      // The next call of it would deny the request.
      fail.next = "gate_lastEvent";
      ok(await gate.check(await request("/assets/1")));
      ok(gate.checkSync(asking("/healthz")));
      ok(await gate.verify(await token()));
      equal(fail.next, "gate_lastEvent");
      fail.next = undefined;
    },

    async "each decision is one event, with its rule, issuer and policy"() {
      const [keys, told] = [await issuer(), hooks()];
      const gate = await createGate({ ...named, challenge: { resource_metadata: { resource: "https://api.example.com/assets" } } }, { fetch: keys.fetch, ...told.options });
      const { policyDigest: digest, moduleDigest } = gate.status();
      equal([digest, moduleDigest].map((text) => /^[0-9a-f]{64}$/.test(text)), [true, true]);
      // Other tokens, because some runtimes sign the same text alike.
      const [first, ...asked] = [await request("/assets/1?secret=1"), asking("/assets/1"), await request("/orgs/globex/x", { jti: "2" }), asking("/nowhere"), asking("/.well-known/oauth-protected-resource/assets")];
      for (const one of [first, first, ...asked]) await gate.check(one);
      gate.checkSync(asking("/healthz"));
      await gate.verify(await token({ jti: "3" }), { scopes: ["x"] });
      const common = { waitedMs: 0, mode: "enforced", policyDigest: digest };
      const rules = { assets: { index: 1, name: "assets", path: "/assets/**" }, orgs: { index: 2, path: "/orgs/{org}/**" }, health: { index: 0, path: "/healthz" } };
      const seen = told.decisions.map(({ moduleDigest, ...event }) => (equal(/^[0-9a-f]{64}$/.test(moduleDigest), true), event));
      const { waitedMs, ...fetching } = seen.shift();
      equal(fetching, { decision: "allow", rule: rules.assets, issuer: "platform", remembered: false, mode: "enforced", policyDigest: digest });
      equal(seen, [
        { decision: "allow", rule: rules.assets, issuer: "platform", remembered: true, ...common },
        { decision: "deny", code: "token_missing", status: 401, rule: rules.assets, ...common },
        { decision: "deny", code: "tenant_denied", status: 403, rule: rules.orgs, issuer: "platform", remembered: false, ...common },
        { decision: "deny", code: "rule_denied", status: 403, ...common },
        { decision: "answer", status: 200, ...common },
        { decision: "allow", rule: rules.health, ...common },
        { decision: "deny", code: "scope_insufficient", status: 403, issuer: "platform", remembered: false, ...common },
      ]);
      equal([told.requests[0] === first, told.requests[2] === asked[0], told.requests.at(-1) ?? null], [true, true, null]);
    },

    async "an event says how long the decision waited, and a timeout what it waited for"() {
      const [keys, told] = [await issuer(), hooks()];
      const slow = async (...asked) => (await new Promise((resolve) => setTimeout(resolve, 60)), keys.fetch(...asked));
      const gate = await createGate(named, { fetch: slow, ...told.options });
      ok(await gate.check(await request("/assets/1")));
      ok(await gate.check(await request("/assets/1")));
      equal([told.decisions[0].waitedMs > 40, told.decisions[0].remembered, told.decisions[1].waitedMs], [true, false, 0]);
      const stuck = await createGate(named, { fetch: () => new Promise(() => {}), waitMs: 50, ...told.options });
      deny(await stuck.check(await request("/assets/1")), "keys_unavailable");
      deny(stuck.checkSync(await request("/assets/1")), "keys_unavailable");
      const [late, sync] = told.decisions.slice(2);
      equal([late.code, late.status, late.rule.name, late.issuer, late.waitedMs > 40], ["keys_unavailable", 503, "assets", "platform", true]);
      equal([sync.code, sync.rule.name, sync.waitedMs], ["keys_unavailable", "assets", 0]);
    },

    async "nothing of a token, a key or a claim's value is in an event"() {
      const [keys, told] = [await issuer(), hooks()];
      const gate = await createGate(named, { fetch: keys.fetch, ...told.options, subjectKey: KEY });
      const good = await token({ sub: "subject-to-hide", tenant_id: "tenant-to-hide", scope: "assets:read scope-to-hide", email: "mail-to-hide" });
      const wrong = good.slice(0, -8) + "AAAAAAAA";
      for (const bearer of [good, good, wrong, "x.y.z"]) for (const path of ["/assets/path-to-hide?query-to-hide", "/orgs/path-to-hide/x"]) await gate.check(asking(path, { authorization: `Bearer ${bearer}`, cookie: "cookie-to-hide=1" }));
      await gate.verify(good);
      const said = JSON.stringify([told.decisions, told.documents]);
      equal([told.decisions.length, told.documents.length], [9, 1]);
      for (const hidden of ["to-hide", KEY, keys.jwks[0].x, ...good.split("."), "auth.example.com/jwks"]) equal([hidden, said.includes(hidden)], [hidden, false]);
    },

    async "a subject has one reference, which its key decides, and only if the signature held"() {
      const [keys, told] = [await issuer(), hooks()];
      const options = { fetch: keys.fetch, ...told.options };
      for (const subjectKey of [KEY, new TextEncoder().encode(KEY), `${KEY}2`]) {
        const gate = await createGate(named, { ...options, subjectKey });
        await gate.check(await request("/assets/1"));
      }
      const gate = await createGate(named, { ...options, subjectKey: KEY });
      const good = await token();
      await gate.check(asking("/assets/1", { authorization: `Bearer ${good.slice(0, -8)}AAAAAAAA` }));
      await gate.check(await request("/assets/1", { sub: "other" }));
      const [first, same, otherKey, unsigned, other] = told.decisions.map(({ subjectRef }) => subjectRef ?? null);
      equal([/^[0-9a-f]{32}$/.test(first), same, unsigned, new Set([first, otherKey, other]).size], [true, first, null, 3]);
      const error = await rejects(createGate(named, { ...options, subjectKey: "too short" }), CountersignError);
      equal(error.problems[0].code, "subject_key_short");
    },

    async "a hook that fails changes nothing, and is logged once"() {
      const keys = await issuer();
      const { error } = console;
      const said = [];
      console.error = (...words) => void said.push(words.join(" "));
      try {
        const fails = {
          throws: () => { throw new Error("of the hook"); },
          rejects: async () => { throw new Error("of the hook"); },
        };
        for (const [index, hook] of Object.values(fails).entries()) {
          const gate = await createGate(named, { fetch: keys.fetch, onDecision: hook, onDocument: hook });
          ok(await gate.check(await request("/assets/1")));
          deny(await gate.check(asking("/assets/1")), "token_missing");
          ok(gate.checkSync(asking("/healthz")));
          ok(await gate.verify(await token()));
          await new Promise((resolve) => setTimeout(resolve, 5));
          equal([said.length, said.at(-1).includes("of the hook")], [index + 1, true]);
        }
      } finally {
        console.error = error;
      }
    },
  };
}

function documents(createGate) {
  return {
    async "each document is one event: accepted, refused or failed, and why"() {
      const keys = await issuer();
      const told = hooks();
      const odd = { kty: "EC", kid: "odd", crv: "P-256", x: "AA", y: "AA" };
      const failure = (code) => Object.assign(new TypeError("fetch failed"), { cause: { code } });
      const answers = [
        [() => new Response(JSON.stringify({ keys: [...keys.jwks, odd] })), { outcome: "accepted", used: 1, skipped: 1 }],
        [() => new Response("{"), { outcome: "refused", reason: "refused", detail: "document_syntax" }],
        [() => new Response("no", { status: 500 }), { outcome: "failed", reason: "status", detail: "500" }],
        [() => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }), { outcome: "failed", reason: "redirect", detail: "302" }],
        [() => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1 << 20)) })), { outcome: "failed", reason: "too_large" }],
        [() => Promise.reject(failure("ENOTFOUND")), { outcome: "failed", reason: "dns" }],
        [() => Promise.reject(failure("ECONNREFUSED")), { outcome: "failed", reason: "connection" }],
        [() => Promise.reject(failure("CERT_HAS_EXPIRED")), { outcome: "failed", reason: "tls" }],
        [() => Promise.reject(failure("DEPTH_ZERO_SELF_SIGNED_CERT")), { outcome: "failed", reason: "tls" }],
        [() => Promise.reject(failure("UND_ERR_CONNECT_TIMEOUT")), { outcome: "failed", reason: "timeout" }],
        [() => Promise.reject(new Error("no")), { outcome: "failed", reason: "connection" }],
      ];
      for (const [answer, wanted] of answers) {
        const gate = await createGate(named, { fetch: async () => answer(), ...told.options });
        await gate.preload();
        const { policyDigest, ageMs = null, ...event } = told.documents.at(-1);
        const { outcome, ...why } = wanted;
        equal({ ...event, detail: event.detail?.split(" ")[0] }, { kind: "jwks", issuer: "platform", outcome, ...why, mode: "enforced", detail: why.detail });
        equal([policyDigest, ageMs !== null], [gate.status().policyDigest, outcome === "accepted"]);
        gate.close();
      }
      equal([told.documents.length, told.decisions.length], [answers.length, 0]);
    },

    async "a document that a reload takes over is no event"() {
      const [keys, told] = [await issuer(), hooks()];
      const gate = await createGate(named, { fetch: keys.fetch, ...told.options });
      await gate.preload();
      await gate.reload({ ...named, realm: "another" });
      ok(await gate.check(await request("/assets/1")));
      equal([told.documents.length, keys.fetched.length], [1, 1]);
    },

    async "a document that was fetched again in vain says the age of the old one"() {
      const [keys, told] = [await issuer(), hooks()];
      let now = Date.now();
      const answers = [async () => new Response("no", { status: 500 }), keys.fetch];
      const gate = await createGate(named, { fetch: (...asked) => answers.pop()(...asked), now: () => now, ...told.options });
      await gate.preload();
      now += 700_000;
      await gate.preload();
      const [accepted, failed] = told.documents;
      equal([accepted.outcome, accepted.ageMs, failed.outcome, failed.ageMs], ["accepted", 0, "failed", 700_000]);
    },
  };
}

function readiness(createGate, readyResponse) {
  return {
    async "a gate is ready when it had every document that it needs, and stays so"() {
      const keys = await issuer();
      let now = Date.now();
      const answers = [() => new Response("no", { status: 500 }), keys.fetch];
      const fetch = async (...asked) => (answers.length > 0 ? answers.shift()(...asked) : new Response("no", { status: 500 }));
      const gate = await createGate(named, { fetch, now: () => now });
      const works = [];
      const context = { waitUntil: (work) => void works.push(work) };
      equal(gate.status().ready, false);
      const missing = readyResponse(gate, context);
      equal([missing.status, await missing.json()], [503, { ready: false, missing: [{ issuer: "platform", kind: "jwks" }] }]);
      await Promise.all(works);
      now += 60_000;
      equal(gate.ready(context), false);
      await Promise.all(works);
      const response = readyResponse(gate, context);
      equal([gate.ready(), response.status, await response.json(), gate.status().ready], [true, 200, { ready: true }, true]);
      now += 100 * 3_600_000;
      await gate.preload();
      equal([gate.ready(), gate.status().documents[0].usable], [true, false]);
    },

    async "documents that the policy does not need at the start are not waited for"() {
      const [platform] = named.issuers;
      const gate = await createGate({ ...named, issuers: [{ ...platform, needed_at_start: false }] }, { fetch: async () => new Response("no", { status: 500 }) });
      equal([gate.ready(), gate.status().documents[0].needed], [true, false]);
    },

    async "createGate waits until the gate is ready, within a bound, and says so if it is not"() {
      const keys = await issuer();
      const gate = await createGate(named, { fetch: keys.fetch, readyMs: 5_000 });
      equal([gate.ready(), keys.fetched.length], [true, 1]);
      const [before, { warn }, warned] = [performance.now(), console, []];
      console.warn = (text) => void warned.push(text);
      try {
        const late = await createGate(named, { fetch: () => new Promise(() => {}), readyMs: 150 });
        equal([late.ready(), performance.now() - before < 2_000, warned], [false, true, ["countersign: the gate is open and not ready"]]);
      } finally {
        console.warn = warn;
      }
    },
  };
}
