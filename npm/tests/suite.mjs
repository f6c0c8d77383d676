// The behaviour of the package in any runtime. Nothing here depends on Node.js.

import { failing } from "./failing.mjs";
import { addIssuer, issuer, policy, request, token } from "./issuer.mjs";
import { deny, equal, ok, rejects } from "./assert.mjs";
import { closing } from "./closing.mjs";
import { opaque } from "./opaque.mjs";
import { senders } from "./senders.mjs";
import { shadowing } from "./shadow.mjs";
import { signatures } from "./signatures.mjs";
import { signed } from "./signed.mjs";
import { watching } from "./watching.mjs";
import { weather } from "./weather.mjs";

/** `library` is all that `countersign`, `countersign/shadow` and `countersign/signed-policy` export; `runtime.shared` tells whether the runtime works between requests. */
export function suite(library, runtime) {
  const own = closing(library);
  const fail = failing();
  return own.closed(tests({ ...own.library, fail }, runtime));
}

function tests(library, runtime) {
  const { createGate, CountersignError, CODES, answer, withGrant, fail } = library;
  const gateWith = (keys, options = {}) => createGate(policy, { fetch: keys.fetch, ...options });

  return {
    ...weather(library, runtime),
    ...signatures(library, runtime),
    ...senders(library),
    ...opaque(library, runtime),
    ...watching(library),
    ...shadowing(library),
    ...signed(library),

    async "a valid token is admitted, with its principal"() {
      const gate = await gateWith(await issuer());
      const decision = await gate.check(await request("/assets/1", { scope: "assets:read other" }));
      equal(decision.allow, true);
      equal(decision.principal.subject, "user-1");
      equal(decision.principal.issuer, "platform");
      equal(decision.principal.tenant, "acme");
      equal(decision.principal.scopes, ["assets:read", "other"]);
      equal(decision.principal.claims.aud, "platform");
      equal(JSON.parse(decision.principal.claimsText).sub, "user-1");
      equal(decision.setHeaders, [["x-auth-subject", "user-1"]]);
      equal(JSON.parse(JSON.stringify(decision.principal)).subject, "user-1");
    },

    async "the principals that a rule asks for are in the grant, and a denial names the one that failed"() {
      const credentials = [
        { header: "authorization", scheme: "Bearer", issuers: ["platform"] },
        { header: "x-service", issuers: ["platform"], principal: "service" },
      ];
      const rules = [{ path: "/user", require: {} }, { path: "/both", require: {}, principals: { service: {} } }];
      const gate = await createGate({ ...policy, credentials, rules }, { fetch: (await issuer()).fetch });
      const ask = async (path, user, service) => gate.check(new Request(`https://api.example.com${path}`, { headers: { authorization: `Bearer ${user}`, ...(service && { "x-service": service }) } }));
      const [user, service] = [await token(), await token({ sub: "service-1", tenant_id: "globex" })];
      for (let times = 0; times < 2; times++) {
        const { principal, principals, setHeaders } = ok(await ask("/both", user, service));
        equal([principal.subject, principal.tenants, setHeaders], ["user-1", ["acme"], [["x-auth-subject", "user-1"]]]);
        equal([Object.keys(principals), principals.service.subject, principals.service.tenants, principals.toString], [["service"], "service-1", ["globex"], undefined]);
        equal([Object.isFrozen(principals), Object.isFrozen(principals.service)], [true, true]);
        // The service's token is now a user's.
        const alone = ok(await ask("/user", service));
        equal([alone.principal.subject, Object.keys(alone.principals), alone.setHeaders], ["service-1", [], [["x-auth-subject", "service-1"]]]);
      }
      equal(deny(await ask("/both", user), "token_missing").principalName, "service");
      equal(deny(await ask("/both", "x", service), "token_malformed").principalName, null);
      equal(JSON.parse(JSON.stringify(await ask("/both", user, service))).principals, { service: { issuer: "platform", tokenType: null } });
    },

    async "names in every script are unchanged"() {
      const gate = await gateWith(await issuer());
      const said = { sub: "Łukasz 😀 é", tenant_id: "\u{1f3e0}", scope: "assets:read läsa x" };
      const { principal } = ok(await gate.check(await request("/assets/1", said)));
      equal(principal.subject, said.sub);
      equal(principal.tenant, said.tenant_id);
      equal(principal.scopes, ["assets:read", "läsa", "x"]);
      equal(principal.claims.sub, said.sub);
      equal(principal.claims.scope, said.scope);
    },

    async "alternating requests of any length to several gates are not mixed up"() {
      const gates = [await gateWith(await issuer()), await gateWith(await issuer())];
      for (const gate of gates) await gate.preload();
      const good = await token();
      for (const length of [0, 3000, 10, 200_000, 1, 900_000, 5]) {
        for (const gate of gates) {
          const headers = [["authorization", `Bearer ${good}`]];
          const asked = { method: "GET", authority: "", target: "/assets/1", headers };
          ok(gate.checkSync(asked));
          equal((await gate.verify("x".repeat(length))).allow, false);
          equal(gate.checkSync({ ...asked, headers: [["authorization", `Bearer ${"é".repeat(length + 1)}`]] }).allow, false);
          ok(await gate.verify(good));
          ok(gate.checkSync(asked));
        }
      }
    },

    async "all requests with a token share one grant, which is frozen"() {
      const gate = await gateWith(await issuer());
      const asked = await request("/assets/1");
      const first = await gate.check(asked);
      equal((await gate.check(asked)) === first, true);
      equal(gate.checkSync(asked) === first, true);
      for (const part of [first, first.principal, first.principal.claims, first.principal.scopes, first.setHeaders]) {
        equal(Object.isFrozen(part), true);
      }
    },

    async "denials have code, status and challenge, and give a response"() {
      const gate = await gateWith(await issuer());
      const missing = deny(await gate.check(new Request("https://api.example.com/assets/1")), "token_missing");
      const answered = answer(missing);
      equal(answered.status, 401);
      equal(answered.headers.get("www-authenticate"), 'Bearer realm="countersign"');
      equal((await answered.json()).code, "token_missing");
      const scope = deny(await gate.check(await request("/assets/1", { scope: "x" })), "scope_insufficient");
      equal(scope.status, 403);
      deny(await gate.check(await request("/nowhere")), "rule_denied");
      deny(await gate.check(await request("/orgs/globex/seats")), "tenant_denied");
      ok(await gate.check(await request("/orgs/acme/seats")));
    },

    async "a spoofed header is removed, also without a principal"() {
      const gate = await gateWith(await issuer());
      const spoofed = new Request("https://api.example.com/healthz", { headers: { "X-Auth-Subject": "admin", "x-other": "1" } });
      const granted = withGrant(spoofed.headers, ok(await gate.check(spoofed)));
      equal(granted.get("x-auth-subject"), null);
      equal(granted.get("x-other"), "1");
    },

    async "a query is not part of the path, and a head works like a Request"() {
      const gate = await gateWith(await issuer());
      ok(await gate.check(await request("/assets/1?a=/../b#c")));
      const headers = [["Authorization", `Bearer ${await token()}`]];
      const head = { method: "GET", authority: "api.example.com", target: "/assets/1", headers };
      ok(await gate.check(head));
      deny(await gate.check({ ...head, target: "/assets/../1" }), "request_ambiguous");
      deny(await gate.check({ ...head, headers: [...headers, ["authorization", "Bearer x.y.z"]] }), "token_multiple");
    },

    async "headers that can be iterated only once work, also if the check waits"() {
      const gate = await gateWith(await issuer());
      const headers = [["authorization", `Bearer ${await token()}`]].values();
      ok(await gate.check({ method: "GET", authority: "", target: "/assets/1", headers }));
    },

    async "odd requests and garbage give decisions, never exceptions"() {
      const gate = await gateWith(await issuer());
      const hostile = {
        get url() {
          throw new Error("no");
        },
      };
      for (const odd of [undefined, null, 1, "GET /", {}, [], hostile, { url: 1 }, { url: "about:blank", headers: new Headers() }]) {
        deny(await gate.check(odd), "request_ambiguous");
        deny(gate.checkSync(odd), "request_ambiguous");
        equal(Array.isArray(gate.explain(odd)), true);
      }
      for (const garbage of ["", "a.b.c", "é", "\u0141.\u{1f600}.c", "x".repeat(20_000), "x".repeat(2 << 20), undefined, 7, {}]) {
        equal((await gate.verify(garbage)).allow, false);
        equal(gate.inspect(garbage).claims, null);
      }
      const huge = { method: "GET", authority: "", target: "/assets/1", headers: [["authorization", "x".repeat(4 << 20)]] };
      equal((await gate.check(huge)).allow, false);
      ok(await gate.check(await request("/assets/1")));
    },

    async "a character above 0xFF is not read as a byte"() {
      const gate = await gateWith(await issuer());
      const good = await token();
      ok(await gate.verify(good));
      const twin = String.fromCharCode(good.charCodeAt(0) + 0x100) + good.slice(1);
      equal((await gate.verify(twin)).allow, false);
      const latin1 = { method: "GET", authority: "api.example.com", target: "/assets/1", headers: [["cookie", "name=\u00e9\u00ff"], ["authorization", `Bearer ${good}`]] };
      ok(await gate.check(latin1));
    },

    async "a token is verified without a request, against a requirement"() {
      const gate = await gateWith(await issuer());
      const good = await token({ scope: "a b" });
      ok(await gate.verify(good));
      ok(await gate.verify(good, { scopes: ["a"] }));
      deny(await gate.verify(good, { scopes: ["c"] }), "scope_insufficient");
      const error = await rejects(gate.verify(good, { scopes: 1, nonsense: true }), CountersignError);
      equal(error.problems.length, 2);
    },

    async "all errors of a policy are reported at once, also of a value that is no policy"() {
      const error = await rejects(createGate({ contract: "2", nonsense: 1 }), CountersignError);
      equal(error.problems.map(({ code }) => code).sort(), ["field_missing", "field_unknown", "value_invalid"]);
      equal(error.problems.every(({ message }) => error.message.includes(message)), true);
      const circle = {};
      circle.circle = circle;
      for (const odd of [undefined, null, 1, "", "{", circle]) await rejects(createGate(odd), CountersignError);
    },

    async "a policy is an object, JSON, or the URL of JSON"() {
      const fetch = async (uri) => new Response(uri.endsWith("/policy.json") ? JSON.stringify(policy) : "no", { status: uri.endsWith("l.json") ? 404 : 200 });
      const health = new Request("https://api.example.com/healthz");
      ok(await (await createGate(JSON.stringify(policy), { fetch })).check(health));
      ok(await (await createGate(new URL("https://example.com/policy.json"), { fetch })).check(health));
      await rejects(createGate(new URL("https://example.com/wrong.json"), { fetch }), CountersignError);
      const error = await rejects(createGate(new URL("https://example.com/l.json"), { fetch }), CountersignError);
      equal(error.problems[0].code, "policy_unavailable");
    },

    async "keys are fetched once for all waiting checks"() {
      const keys = await issuer();
      const gate = await gateWith(keys);
      const asked = await Promise.all([1, 2, 3].map((n) => request(`/assets/${n}`)));
      (await Promise.all(asked.map((one) => gate.check(one)))).forEach(ok);
      equal(keys.fetched.length, 1);
      ok(await gate.check(await request("/assets/1")));
      equal(keys.fetched.length, 1);
      const { init } = keys.fetched[0];
      equal(init.redirect, "manual");
    },

    async "without waiting, a missing key is a denial"() {
      const keys = await issuer();
      const gate = await gateWith(keys);
      const asked = await request("/assets/1");
      equal(deny(gate.checkSync(asked), "keys_unavailable").status, 503);
      await gate.preload();
      if (!runtime.shared) ok(await gate.check(asked));
      ok(gate.checkSync(asked));
      equal(gate.status().documents[0].usable, true);
    },

    async "an issuer that is down, slow, redirects or sends too much is unavailable"() {
      const answers = {
        down: async () => Promise.reject(new Error("refused")),
        throws: () => {
          throw new Error("at once");
        },
        fails: async () => new Response("no", { status: 500 }),
        redirects: async () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
        large: async () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(100_000)) })),
        breaks: async () => new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("reset")) })),
        odd: async () => ({}),
        slow: () => new Promise(() => {}),
      };
      for (const fetch of Object.values(answers)) {
        const gate = await createGate(policy, { fetch, waitMs: 300 });
        const denial = deny(await gate.check(await request("/assets/1")), "keys_unavailable");
        equal(answer(denial).headers.get("retry-after") >= 1, true);
        ok(await gate.check(new Request("https://api.example.com/healthz")));
        gate.close();
      }
    },

    async "the unused parts of a document are in its status until a better one is fetched"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await gateWith(keys, { now: () => now });
      const odd = { kty: "EC", kid: "odd", crv: "P-256", x: "AA", y: "AA" };
      const answers = [{ keys: [odd] }, { keys: [odd, ...keys.jwks] }];
      const broken = await createGate(policy, { fetch: async () => new Response(JSON.stringify(answers.pop())), now: () => now });
      const problems = () => broken.status().documents[0].problems.map(({ severity }) => severity);
      equal(problems(), []);
      await broken.preload();
      equal(problems(), ["warning"]);
      equal(broken.status().documents[0].problems[0].pointer, "/keys/0");
      now += 600_000;
      await broken.preload();
      equal([problems(), broken.status().documents[0].usable], [["error"], true]);
      await gate.preload();
      equal(gate.status().documents[0].problems, []);
    },

    async "too many waiting checks are denied"() {
      const gate = await createGate(policy, { fetch: () => new Promise(() => {}), waitMs: 200, maxWaiting: 1 });
      const asked = await request("/assets/1");
      const first = gate.check(asked);
      const before = Date.now();
      deny(await gate.check(asked), "keys_unavailable");
      equal(Date.now() - before <= 200, true);
      deny(await first, "keys_unavailable");
    },

    async "a new key of the issuer is fetched for its first token"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await gateWith(keys, { now: () => now });
      ok(await gate.check(await request("/assets/1")));
      await addIssuer(keys, "second");
      const rotated = await request("/assets/1", {}, "second");
      deny(await gate.check(rotated), "key_unknown");
      now += 31_000;
      ok(await gate.check(rotated));
    },

    async "documents that are due are refreshed by a request, or in the background where possible"() {
      const keys = await issuer();
      let now = Date.now();
      const gate = await gateWith(keys, { now: () => now });
      ok(await gate.check(await request("/assets/1")));
      now += 590_000;
      const before = keys.fetched.length;
      const works = [];
      ok(await gate.check(await request("/assets/1"), { waitUntil: (work) => works.push(work) }));
      equal(works.length, 1);
      await Promise.all(works);
      equal(keys.fetched.length, before + 1);
      gate.close();
    },

    async "a reload reuses documents, and a policy with errors changes nothing"() {
      const keys = await issuer();
      const gate = await gateWith(keys);
      ok(await gate.check(await request("/assets/1")));
      const fetched = keys.fetched.length;
      await rejects(gate.reload({ ...policy, rules: 1 }), CountersignError);
      ok(gate.checkSync(await request("/assets/1")));
      await gate.reload({ ...policy, rules: [{ path: "/other", require: {} }] });
      ok(gate.checkSync(await request("/other")));
      deny(gate.checkSync(await request("/assets/1")), "rule_denied");
      equal(keys.fetched.length, fetched);
    },

    // In a rolling change a policy can come before the file that knows its words.
    async "a policy of a newer file is refused with each word that is not known, and the old one stays"() {
      const gate = await gateWith(await issuer());
      const { policyDigest } = gate.status();
      const newer = structuredClone(policy);
      const at = (place) => place.split("/").slice(1).reduce((value, name) => value[name], newer);
      const places = ["", "/issuers/0", "/issuers/0/keys", "/rules/1", "/rules/1/require"];
      for (const place of places) at(place).some_future_word = true;
      newer.issuers[0].algorithms.push("ML-DSA-65");
      const { problems } = await rejects(gate.reload(newer), CountersignError);
      const wanted = [...places.map((place) => `${place}/some_future_word field_unknown`), `/issuers/0/algorithms/${newer.issuers[0].algorithms.length - 1} value_invalid`];
      equal(problems.filter(({ severity }) => severity === "error").map(({ pointer, code }) => `${pointer} ${code}`).sort(), wanted.sort());
      equal(gate.status().policyDigest, policyDigest);
      ok(await gate.check(await request("/assets/1")));
    },

    async "a closed gate denies, and other gates still work"() {
      const keys = await issuer();
      const [gate, neighbour] = [await gateWith(keys), await gateWith(keys)];
      gate.close();
      gate.close();
      equal(deny(await gate.check(await request("/healthz")), "internal_error").status, 503);
      deny(await gate.verify(await token()), "internal_error");
      ok(await neighbour.check(await request("/assets/1")));
    },

    async "a trap denies one request, and every gate keeps its documents"() {
      const keys = await issuer();
      const [gate, neighbour] = [await gateWith(keys), await gateWith(keys)];
      const asked = await request("/assets/1");
      for (const each of [gate, neighbour]) ok(await each.check(asked));
      const fetched = keys.fetched.length;
      for (const what of ["gate_check", "gate_decision", "gate_room"]) {
        fail.next = what;
        deny(await gate.check(await request("/nowhere")), "internal_error");
        equal(fail.next, undefined);
        ok(gate.checkSync(asked));
        ok(neighbour.checkSync(asked));
      }
      fail.next = "gate_checkToken";
      deny(await gate.verify(await token()), "internal_error");
      ok(await gate.verify(await token(), { scopes: ["assets:read"] }));
      fail.next = "lint";
      equal((await library.lint(policy)).map(({ code }) => code), ["internal_error"]);
      ok(gate.checkSync(asked));
      fail.next = "inspect";
      equal(gate.inspect("a.b.c").fault, "internal_error");
      ok(gate.checkSync(asked));
      equal(keys.fetched.length, fetched);
    },

    async "lint lists errors and warnings, and opens no gate"() {
      const severities = async (policy) => (await library.lint(policy)).map(({ severity, code }) => `${severity} ${code}`);
      equal(await severities(policy), []);
      const rules = [...policy.rules, { path: "/healthz", public: true }];
      equal(await severities({ ...policy, rules }), ["warning unreachable"]);
      equal((await severities({ ...policy, realmm: "x" })).includes("error field_unknown"), true);
      equal(await severities("{"), ["error syntax"]);
      await rejects(library.lint(new URL("file:///none/policy.json")), CountersignError);
    },

    async "inspect decodes a token without verifying it, and explain lists checks"() {
      const gate = await gateWith(await issuer());
      const seen = gate.inspect(await token());
      equal([seen.header.alg, seen.claims.sub, seen.signatureBytes, seen.fault, seen.detail], ["ES256", "user-1", 64, null, null]);
      equal(gate.inspect("a..b.c.d").detail, "8 bytes in 5 parts: an encrypted token (JWE)");
      equal([JSON.parse(seen.headerText), JSON.parse(seen.claimsText)], [seen.header, seen.claims]);
      equal(gate.inspect(`eyJhbGciOiJFUzI1NiJ9.${btoa('{"id":12345678901234567890}').replace(/=+$/, "")}.AA`).claimsText.includes("12345678901234567890"), true);
      await gate.preload();
      const steps = gate.explain(await request("/orgs/globex/seats"));
      equal(steps.find(({ verdict }) => verdict === "fail").code, "tenant_denied");
    },

    async "no decision, error or status contains the token"() {
      const gate = await gateWith(await issuer());
      const good = await token();
      const wrong = good.slice(0, -8) + "AAAAAAAA";
      const headers = { authorization: `Bearer ${wrong}` };
      const denial = await gate.check(new Request("https://api.example.com/assets/1", { headers }));
      deny(denial, "signature_invalid");
      const said = JSON.stringify([denial, gate.status(), gate.explain(new Request("https://api.example.com/assets/1", { headers }))]);
      equal(said.includes(wrong.slice(-40)), false);
    },

    async "codes are a closed list"() {
      equal(CODES.includes("token_missing") && CODES.includes("internal_error"), true);
      equal(new Set(CODES).size, CODES.length);
    },
  };
}
