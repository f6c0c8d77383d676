// Tokens that only their issuer can read, and API keys, in any runtime.

import { deny, equal, ok } from "./assert.mjs";
import { policy } from "./issuer.mjs";

const SECRET = "secret-to-hide";
const opaqueOnly = {
  ...policy,
  forward: undefined,
  issuers: [{ name: "legacy", audiences: ["platform"], introspection: { uri: "https://legacy.example/introspect", client: { id: "gate", secret_from: "client" }, prefix: ["opq_"] } }],
};
const keysOnly = {
  ...policy,
  forward: undefined,
  issuers: [{ name: "keys", api_keys: { uri: "https://keys.example/keys.json", headers: { authorization: { secret_from: "fetching" } }, prefix: ["sk_"], pepper: [{ version: "1", secret_from: "pepper" }], checksum: false } }],
};

const active = (more = {}) => ({ active: true, sub: "user-1", aud: "platform", scope: "assets:read", exp: Math.floor(Date.now() / 1000) + 600, ...more });
const asking = (token) => new Request("https://api.example.com/assets/1", { headers: { authorization: `Bearer ${token}` } });

/** An authorization server: what it says about a token. */
function server(say) {
  const seen = [];
  const fetch = async (uri, init) => {
    seen.push({ uri, init, token: new URLSearchParams(init.body).get("token") });
    const said = await say(seen.at(-1).token);
    return said instanceof Response ? said : new Response(typeof said === "string" ? said : JSON.stringify(said));
  };
  return { seen, fetch };
}

export function opaque({ createGate }, runtime) {
  const opened = (fetch, options = {}) => createGate(opaqueOnly, { fetch, secrets: { client: SECRET }, ...options });
  return { ...introspection(opened, runtime), ...apiKeys(createGate) };
}

function introspection(opened, runtime) {
  return {
    async "an opaque token is asked about once, for all checks that wait for it"() {
      const { fetch, seen } = server(async (token) => (await new Promise((resolve) => setTimeout(resolve, 30)), active({ sub: token })));
      const gate = await opened(fetch);
      const tokens = ["opq_a", "opq_b&token=opq_c"];
      const decisions = await Promise.all(Array.from({ length: 40 }, (_, index) => gate.check(asking(tokens[index % 2]))));
      equal(decisions.map((decision, index) => ok(decision).principal.subject === tokens[index % 2]).every(Boolean), true);
      equal([seen.length, seen.map(({ token }) => token).sort()], [2, tokens]);
      const [{ uri, init }] = seen;
      const headers = new Headers(init.headers);
      equal([uri, init.method, init.redirect, init.cf ?? null], ["https://legacy.example/introspect", "POST", "manual", null]);
      equal([headers.get("authorization"), headers.get("content-type")], [`Basic ${btoa(`gate:${SECRET}`)}`, "application/x-www-form-urlencoded"]);
      // The answer is remembered.
      ok(gate.checkSync(asking("opq_a")));
      ok(await gate.verify("opq_a", { scopes: ["assets:read"] }));
      equal(seen.length, 2);
      equal(gate.status().documents.map(({ issuer, kind, failures, usable, problems }) => [issuer, kind, failures, usable, problems]), [["legacy", "introspection", 0, true, []]]);
    },

    async "a token that is not active is denied, and remembered for some seconds"() {
      const { fetch, seen } = server(() => ({ active: false }));
      const gate = await opened(fetch);
      for (let times = 0; times < 3; times++) equal(deny(await gate.check(asking("opq_a")), "token_inactive").status, 401);
      deny(await gate.check(asking("opq_b")), "token_inactive");
      equal(seen.length, 2);
    },

    async "a server that lies, redirects, breaks or sends too much gives 503, never a yes"() {
      const answers = {
        html: () => "<html>active: true</html>",
        text: () => ({ ...active(), active: "true" }),
        number: () => ({ ...active(), active: 1 }),
        twice: () => JSON.stringify(active()).replace("{", '{"active":false,'),
        list: () => [active()],
        huge: () => JSON.stringify(active({ x: "x".repeat(100_000) })),
        endless: () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(50_000).fill(32)) })),
        breaks: () => new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("reset")) })),
        redirects: () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
        fails: () => new Response(JSON.stringify(active()), { status: 500 }),
        refuses: () => new Response("no", { status: 401 }),
        down: () => Promise.reject(new Error("refused")),
        throws: () => { throw new Error("at once"); },
      };
      const { log, warn, error } = console;
      const said = [];
      for (const name of ["log", "warn", "error"]) console[name] = (...words) => said.push(words);
      try {
        for (const [name, say] of Object.entries(answers)) {
          const { fetch } = server(say);
          const gate = await opened(fetch);
          const denial = await gate.check(asking("opq_a"));
          equal([name, denial.code, denial.status, denial.retryAfterS >= 1], [name, "introspection_unavailable", 503, true]);
          const [{ kind, usable, failures, problems }] = gate.status().documents;
          equal([name, kind, usable, failures, problems.length], [name, "introspection", false, 1, 1]);
          equal(/opq_a|hide/.test(JSON.stringify([denial, gate.status()])), false);
          gate.close();
        }
      } finally {
        Object.assign(console, { log, warn, error });
      }
      equal(said, []);
    },

    async "an answer for another audience, or an expired one, is denied as a JWT is"() {
      for (const [more, code] of [[{ aud: "other" }, "audience_mismatch"], [{ exp: 1 }, "token_expired"], [{ nbf: 9_999_999_999 }, "token_not_yet_valid"]]) {
        deny(await (await opened(server(() => active(more)).fetch)).check(asking("opq_a")), code);
      }
    },

    async "a slow server denies with 503 in time, also checks beyond the limit, and delays no other request"() {
      const gate = await opened(server(() => new Promise(() => {})).fetch, { waitMs: 300, maxWaiting: 3 });
      const before = performance.now();
      const waiting = ["opq_a", "opq_a", "opq_b"].map((token) => gate.check(asking(token)));
      deny(await gate.check(asking("opq_c")), "introspection_unavailable");
      ok(await gate.check(new Request("https://api.example.com/healthz")));
      equal(performance.now() - before < 250, true);
      for (const denial of await Promise.all(waiting)) deny(denial, "introspection_unavailable");
      deny(gate.checkSync(asking("opq_d")), "introspection_unavailable");
    },

    async "without waiting, the server is asked in the background where that is possible"() {
      const { fetch, seen } = server(() => active());
      const gate = await opened(fetch);
      equal(deny(gate.checkSync(asking("opq_a")), "introspection_unavailable").status, 503);
      for (let look = 0; runtime.shared && look < 100 && !gate.checkSync(asking("opq_a")).allow; look++) await new Promise((resolve) => setTimeout(resolve, 5));
      equal([seen.length, gate.checkSync(asking("opq_a")).allow], runtime.shared ? [1, true] : [0, false]);
    },
  };
}

function apiKeys(createGate) {
  const utf8 = new TextEncoder();
  const hash = async (key) => {
    const pepper = await crypto.subtle.importKey("raw", utf8.encode("a pepper of the tests"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return Array.from(new Uint8Array(await crypto.subtle.sign("HMAC", pepper, utf8.encode(key))), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const secrets = { fetching: `Bearer ${SECRET}`, pepper: "a pepper of the tests" };

  return {
    async "API keys are fetched with the header of the policy, used, and refused within the time of a refresh once they are revoked"() {
      const key = "sk_1_0123456789abcdefghijkl";
      const entry = { id: "1", hash: await hash(key), subject: "robot-1", scopes: ["assets:read"] };
      const entries = [entry];
      const inits = [];
      let now = Date.now();
      const fetch = async (_, init) => (inits.push(init), new Response(JSON.stringify({ keys: entries })));
      const gate = await createGate(keysOnly, { fetch, secrets, now: () => now });
      const { principal } = ok(await gate.check(asking(key)));
      equal([principal.subject, principal.issuer], ["robot-1", "keys"]);
      equal([new Headers(inits[0].headers).get("authorization"), inits[0].redirect, inits[0].cf ?? null], [secrets.fetching, "manual", null]);
      deny(await gate.check(asking(`${key}x`)), "api_key_invalid");
      equal(gate.status().documents.map(({ kind, usable }) => [kind, usable]), [["api_keys", true]]);
      equal(JSON.stringify([gate.status(), gate.documents()]).includes("hide"), false);
      entries[0] = { ...entry, status: "revoked" };
      now += 31_000;
      await gate.preload();
      deny(await gate.check(asking(key)), "api_key_invalid");
      equal(inits.length, 2);
    },

    async "after a reload with other headers the document is fetched again, because it can belong to another customer of the server"() {
      const key = "sk_1_0123456789abcdefghijkl";
      const entries = { [secrets.fetching]: { id: "1", hash: await hash(key), subject: "robot-1", scopes: ["assets:read"] } };
      const sent = [];
      const fetch = async (_, init) => {
        sent.push(new Headers(init.headers).get("authorization"));
        return new Response(JSON.stringify({ keys: [entries[sent.at(-1)]].filter(Boolean) }));
      };
      const gate = await createGate(keysOnly, { fetch, secrets: { ...secrets, other: "Bearer other" } });
      ok(await gate.check(asking(key)));
      await gate.reload({ ...keysOnly, realm: "again" });
      ok(gate.checkSync(asking(key)));
      equal(sent, [secrets.fetching]);
      const [issuer] = keysOnly.issuers;
      await gate.reload({ ...keysOnly, issuers: [{ ...issuer, api_keys: { ...issuer.api_keys, headers: { authorization: { secret_from: "other" } } } }] });
      deny(gate.checkSync(asking(key)), "api_key_invalid");
      equal(sent, [secrets.fetching, "Bearer other"]);
    },

    async "without the document API keys get 503, and another host does not get it by a redirect"() {
      const key = "sk_1_0123456789abcdefghijkl";
      const fetched = [];
      const answers = [() => Promise.reject(new Error("down")), () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } }), () => new Response("no", { status: 403 }), () => new Promise(() => {})];
      for (const say of answers) {
        const gate = await createGate(keysOnly, { fetch: async (uri) => (fetched.push(uri), say()), secrets, waitMs: 200 });
        equal(deny(await gate.check(asking(key)), "api_keys_unavailable").status, 503);
        ok(await gate.check(new Request("https://api.example.com/healthz")));
        gate.close();
      }
      equal([...new Set(fetched)], ["https://keys.example/keys.json"]);
    },

    async "a document of 20 MiB is read in parts"() {
      const key = "sk_1_0123456789abcdefghijkl";
      const entries = [{ id: "1", hash: await hash(key), subject: "robot-1", scopes: ["assets:read"] }];
      for (let number = 0; number < 5_300; number++) entries.push({ id: `other-${number}`, hash: number.toString(16).padStart(64, "0"), subject: "robot", claims: { text: "x".repeat(4_000) } });
      const body = JSON.stringify({ keys: entries });
      equal(body.length > 20 << 20, true);
      const gate = await createGate(keysOnly, { fetch: async () => new Response(body), secrets, waitMs: 30_000 });
      ok(await gate.check(asking(key)));
    },
  };
}
