// The behaviour of the package with wrong clocks, slow issuers and frozen processes, in any runtime.

import { addIssuer, issuer, policy, request, token } from "./issuer.mjs";
import { deny, equal, ok, rejects } from "./assert.mjs";

const HOUR_MS = 3_600_000;
const [platform] = policy.issuers;

/** Two issuers, each with its own rule. */
const two = {
  ...policy,
  issuers: [platform, { ...platform, name: "other", issuer: "https://other.example.com", keys: { jwks_uri: "https://other.example.com/jwks.json" } }],
};

const health = () => new Request("https://api.example.com/healthz");
const never = () => new Promise(() => {});

/** `library` and `runtime` are as in suite.mjs. */
export function weather({ createGate, CountersignError }, runtime) {
  return { ...clocks(createGate), ...outages(createGate), ...documents(createGate, CountersignError), ...frozen(createGate, runtime), ...reloads(createGate, CountersignError) };
}

function clocks(createGate) {
  return {
    async "an invalid clock denies every request, and changes nothing else"() {
      const keys = await issuer();
      let now = Date.now;
      const gate = await createGate(policy, { fetch: keys.fetch, now: () => now() });
      const asked = await request("/assets/1");
      ok(await gate.check(asked));
      const fetched = keys.fetched.length;
      const throws = () => {
        throw new Error("no clock");
      };
      for (const answer of [null, undefined, NaN, Infinity, -1, "", "0", String(Date.now()), new Date(), 1n, true, [], {}, 2 ** 60]) {
        now = () => answer;
        deny(await gate.check(asked), "internal_error");
        deny(await gate.check(health()), "internal_error");
        deny(gate.checkSync(health()), "internal_error");
        deny(await gate.verify(await token()), "internal_error");
      }
      now = throws;
      deny(await gate.check(health()), "internal_error");
      now = Date.now;
      ok(gate.checkSync(asked));
      equal(keys.fetched.length, fetched);
      gate.close();
    },

    async "a clock that is set back by eight hours does not delay a refresh"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await createGate(policy, { fetch: keys.fetch, now: () => now });
      ok(await gate.check(await request("/assets/1")));
      now -= 8 * HOUR_MS;
      const before = keys.fetched.length;
      const works = [];
      await gate.check(health(), { waitUntil: (work) => works.push(work) });
      await Promise.all(works);
      equal(keys.fetched.length, before + 1);
      gate.close();
    },
  };
}

function outages(createGate) {
  return {
    async "an issuer that does not answer does not block another one"() {
      const keys = await issuer();
      const fetched = [];
      const fetch = (uri, init) => {
        fetched.push(uri);
        return uri.includes("other") ? never() : keys.fetch(uri, init);
      };
      const gate = await createGate(two, { fetch, waitMs: 300, maxWaiting: 2 });
      const hanging = await request("/assets/1", { iss: "https://other.example.com" });
      const waiting = [gate.check(hanging), gate.check(hanging)];
      const before = performance.now();
      deny(await gate.check(hanging), "keys_unavailable");
      equal(performance.now() - before < 250, true);
      ok(await gate.check(await request("/assets/1")));
      equal(fetched.sort(), ["https://auth.example.com/jwks.json", "https://other.example.com/jwks.json"]);
      for (const one of waiting) deny(await one, "keys_unavailable");
      gate.close();
    },

    async "a check beyond the limit still starts the fetch"() {
      const keys = await issuer();
      const gate = await createGate(policy, { fetch: keys.fetch, maxWaiting: 0 });
      const asked = await request("/assets/1");
      deny(await gate.check(asked), "keys_unavailable");
      for (let look = 0; look < 100 && keys.fetched.length === 0; look++) await new Promise((resolve) => setTimeout(resolve, 5));
      equal(keys.fetched.length, 1);
      gate.close();
    },

    async "very many requirements work: the least recently used are removed"() {
      const keys = await issuer();
      const gate = await createGate(policy, { fetch: keys.fetch });
      const good = await token();
      for (let number = 0; number < 1_100; number++) deny(await gate.verify(good, { scopes: [`scope:${number}`] }), "scope_insufficient");
      ok(await gate.verify(good, { scopes: ["assets:read"] }));
      deny(await gate.verify(good, { scopes: ["scope:0"] }), "scope_insufficient");
      gate.close();
    },
  };
}

function documents(createGate, CountersignError) {
  return {
    async "a gate can start with the documents of another gate, and fetches none"() {
      const keys = await issuer();
      const first = await createGate(policy, { fetch: keys.fetch });
      equal(first.documents(), []);
      await first.preload();
      const stored = JSON.parse(JSON.stringify(first.documents()));
      equal(stored.map(({ issuer, kind, uri, cacheControl }) => [issuer, kind, uri, cacheControl]), [["platform", "jwks", "https://auth.example.com/jwks.json", "max-age=600"]]);
      const fetched = keys.fetched.length;
      const second = await createGate(policy, { fetch: keys.fetch, documents: stored });
      ok(second.checkSync(await request("/assets/1")));
      ok(await second.check(await request("/assets/2")));
      equal(keys.fetched.length, fetched);
      equal(second.documents(), first.documents());
      for (const gate of [first, second]) gate.close();
    },

    async "documents keep their age: old ones are fetched again, too old ones are not used"() {
      const keys = await issuer();
      const first = await createGate(policy, { fetch: keys.fetch });
      await first.preload();
      const [document] = first.documents();
      const aged = (ms) => [{ ...document, fetchedAtMs: document.fetchedAtMs - ms }];
      const fetched = keys.fetched.length;
      const old = await createGate(policy, { fetch: keys.fetch, documents: aged(HOUR_MS) });
      ok(old.checkSync(await request("/assets/1")));
      const works = [];
      ok(await old.check(await request("/assets/1"), { waitUntil: (work) => works.push(work) }));
      await Promise.all(works);
      equal(keys.fetched.length, fetched + 1);
      const older = await createGate(policy, { fetch: () => Promise.reject(new Error("down")), documents: aged(100 * HOUR_MS) });
      deny(older.checkSync(await request("/assets/1")), "keys_unavailable");
      const ahead = await createGate(policy, { fetch: keys.fetch, documents: aged(-HOUR_MS) });
      equal(ahead.status().documents[0].ageMs < 60_000, true);
      for (const gate of [first, old, older, ahead]) gate.close();
    },

    async "a value that is no document is an error, and a document that the gate refuses is fetched"() {
      for (const odd of [7, {}, [null], [{}], [{ issuer: "platform", kind: "jwks", uri: "https://auth.example.com/jwks.json", cacheControl: "", body: "{}", fetchedAtMs: "1" }]]) {
        const error = await rejects(createGate(policy, { documents: odd }), CountersignError);
        equal(error.problems[0].code, "documents_invalid");
      }
      const keys = await issuer();
      const refused = [{ issuer: "platform", kind: "jwks", uri: "https://auth.example.com/jwks.json", cacheControl: "", body: "no", fetchedAtMs: Date.now() - 60_000 }];
      const gate = await createGate(policy, { fetch: keys.fetch, documents: refused });
      ok(await gate.check(await request("/assets/1")));
      gate.close();
    },
  };
}

function frozen(createGate, runtime) {
  return {
    async "a process that was frozen for an hour decides with current keys"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await createGate(policy, { fetch: keys.fetch, now: () => now, refresh: "inline" });
      const asked = await request("/assets/1", { exp: Math.floor(now / 1000) + 10 * 3600 });
      ok(await gate.check(asked));
      await addIssuer(keys, "second");
      keys.jwks.splice(0, 1);
      now += HOUR_MS;
      const [first, beside] = await Promise.all([gate.check(asked), gate.check(asked)]);
      deny(first, "key_unknown");
      deny(beside, "key_unknown");
      equal(keys.fetched.length, 2);
      gate.close();
    },

    async "the wait for a refresh is bounded, and then the old keys decide"() {
      const keys = await issuer();
      let now = Date.now();
      let hangs = false;
      const gate = await createGate(policy, { fetch: (...asked) => (hangs ? never() : keys.fetch(...asked)), now: () => now, refresh: "inline" });
      const asked = await request("/assets/1", { exp: Math.floor(now / 1000) + 10 * 3600 });
      ok(await gate.check(asked));
      hangs = true;
      now += HOUR_MS;
      const before = performance.now();
      ok(await gate.check(asked));
      const tookMs = performance.now() - before;
      equal([tookMs > 800, tookMs < 3_000], [true, true]);
      // Counted from the start of the fetch: a later request does not wait longer.
      const later = performance.now();
      ok(await gate.check(asked));
      equal(performance.now() - later < 500, true);
      gate.close();
    },

    async "without `waitUntil`, a request waits where the runtime requires it"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await createGate(policy, { fetch: keys.fetch, now: () => now });
      ok(await gate.check(await request("/assets/1")));
      now += 590_000;
      ok(await gate.check(await request("/assets/1")));
      if (!runtime.shared) equal(gate.status().documents[0].ageMs, 0);
      gate.close();
    },
  };
}

function reloads(createGate, CountersignError) {
  const only = (path) => ({ ...policy, rules: [{ path, public: true }] });
  const at = (path) => new Request(`https://api.example.com${path}`);

  return {
    async "after two concurrent reloads the policy of the later one is in force"() {
      const keys = await issuer();
      let slow = true;
      const fetch = async (...asked) => {
        if (slow) await new Promise((resolve) => setTimeout(resolve, 100));
        slow = false;
        return keys.fetch(...asked);
      };
      const gate = await createGate(policy, { fetch });
      await Promise.all([gate.reload(only("/first")), gate.reload(only("/second"))]);
      ok(gate.checkSync(at("/second")));
      deny(gate.checkSync(at("/first")), "rule_denied");
      await rejects(gate.reload({ ...policy, rules: 1 }), CountersignError);
      await gate.reload(only("/third"));
      ok(gate.checkSync(at("/third")));
      gate.close();
    },

    async "a gate that is closed during a reload stays closed, and leaves no timer"() {
      const { setTimeout: set, clearTimeout: clear } = globalThis;
      const timers = new Set();
      globalThis.setTimeout = (work, ms) => {
        const timer = set(() => (timers.delete(timer), work()), ms);
        timers.add(timer);
        return timer;
      };
      globalThis.clearTimeout = (timer) => (timers.delete(timer), clear(timer));
      try {
        const keys = await issuer();
        const gate = await createGate(policy, { fetch: keys.fetch });
        await gate.preload();
        let come;
        const comes = new Promise((resolve) => (come = resolve));
        const slow = { ...two, issuers: [two.issuers[1]] };
        keys.fetch = ((fetch) => async (...asked) => (await comes, fetch(...asked)))(keys.fetch);
        const held = await createGate(policy, { fetch: (...asked) => keys.fetch(...asked) });
        const reload = held.reload(slow);
        await new Promise((resolve) => set(resolve, 20));
        held.close();
        come();
        const error = await rejects(reload, CountersignError);
        equal(error.problems[0].code, "gate_closed");
        deny(await held.check(at("/healthz")), "internal_error");
        await rejects(held.reload(policy), CountersignError);
        await Promise.all([gate.reload(only("/a")), gate.reload(only("/b"))]);
        gate.close();
        // Fetches in progress end shortly after the gates are closed.
        for (let turn = 0; timers.size > 0 && turn < 100; turn++) await new Promise((resolve) => set(resolve, 20));
        equal(timers.size, 0);
      } finally {
        Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
      }
    },

    async "the fetch of a policy is tried again if the server is down for a short time"() {
      const answers = [() => Promise.reject(new Error("down")), () => new Response("no", { status: 503 }), () => Response.json(policy)];
      const fetch = async () => answers.shift()();
      ok(await (await createGate(new URL("https://example.com/policy.json"), { fetch })).check(health()));
      equal(answers.length, 0);
    },
  };
}
