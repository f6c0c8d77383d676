// A candidate beside the policy in force, in any runtime.

import { deny, equal, ok, rejects } from "./assert.mjs";
import { issuer, policy, request, token } from "./issuer.mjs";
import { client } from "./proofs.mjs";

const URI = "https://api.example.com/assets/1";
const asking = (path, headers = {}) => new Request(`https://api.example.com${path}`, { headers });
const changed = (...rules) => ({ ...policy, rules: [...rules, ...policy.rules] });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function shadowing(library, runtime) {
  const { createGate, CountersignError, shadow } = library;

  /** A gate with a candidate, whose documents are there, and what the hook is told. */
  async function beside(candidate, inForce = policy, options = {}) {
    const [keys, told] = [await issuer(), []];
    const gate = await createGate(inForce, { fetch: keys.fetch, onDecision: (event) => void told.push(event), shadow: shadow(candidate), ...options });
    return { gate, keys, told, shadows: () => told.filter(({ mode }) => mode === "shadow") };
  }

  /** Lets both policies fetch their keys. */
  async function warm({ gate, told }) {
    const works = [];
    await gate.check(await request("/assets/1"), { waitUntil: (work) => works.push(work) });
    await Promise.all(works);
    for (let times = 0; times < 50 && !gate.status().shadow.ready; times++) await pause(5);
    told.length = 0;
  }

  return {
    async "a candidate's decision is compared, told and counted, and changes nothing"() {
      const candidate = { ...changed({ path: "/assets/**", methods: ["GET"], require: { scopes: ["other"] }, name: "stricter" }, { path: "/new", public: true }), forward: { "x-new": "subject" } };
      const both = await beside(candidate);
      await warm(both);
      const { gate, told, shadows } = both;
      const first = gate.status().shadow;
      const would = [
        [await request("/assets/1"), "allow", "would_deny", "scope_insufficient"],
        [await request("/assets/1", { scope: "assets:read other" }), "allow", "differs"],
        [asking("/new"), "rule_denied", "would_allow"],
        [asking("/assets/1"), "token_missing", "agree", "token_missing"],
        [await request("/assets/1", { scope: "none" }), "scope_insufficient", "agree", "scope_insufficient"],
        [await request("/orgs/globex/x"), "tenant_denied", "agree", "tenant_denied"],
      ];
      for (const [asked, wanted, comparison, code] of would) {
        const decision = await gate.check(asked);
        equal(decision.allow ? "allow" : decision.code, wanted);
        if (decision.allow) equal(decision.setHeaders, [["x-auth-subject", "user-1"]]);
        await pause(0);
        const event = shadows().at(-1);
        equal([event.comparison, event.code ?? null, event.waitedMs], [comparison, code ?? null, 0]);
      }
      equal([told.length, shadows().length], [12, 6]);
      const { policyDigest } = shadows()[0];
      equal([policyDigest === gate.status().policyDigest, policyDigest === gate.status().shadow.policyDigest, shadows()[0].rule], [false, true, { index: 0, name: "stricter", path: "/assets/**" }]);
      const { counts, other, documents } = gate.status().shadow;
      const sum = (counts) => counts.reduce((all, { count }) => all + count, 0);
      equal([sum(counts) - sum(first.counts), other, documents.map(({ kind, usable }) => [kind, usable])], [6, 0, [["jwks", true]]]);
      equal(counts.filter(({ comparison }) => comparison === "would_deny" || comparison === "would_allow"), [
        { comparison: "would_deny", rule: "/rules/1", code: "scope_insufficient", count: counts.find(({ comparison }) => comparison === "would_deny").count },
        { comparison: "would_allow", rule: null, code: null, count: 1 },
      ]);
      // Without waiting too, and with headers that can be iterated only once.
      const headers = () => [["authorization", good]].values();
      const good = (await request("/assets/1")).headers.get("authorization");
      ok(gate.checkSync({ method: "GET", authority: "", target: "/assets/1", headers: headers() }));
      ok(await gate.check({ method: "GET", authority: "", target: "/assets/1", headers: headers() }));
      await pause(0);
      equal(shadows().slice(-2).map(({ comparison }) => comparison), ["would_deny", "would_deny"]);
      // A token without a request has no candidate.
      const before = told.length;
      await gate.verify(await token());
      equal(told.length, before + 1);
    },

    async "the same policy agrees, with equal effects, and both answer"() {
      const same = { ...policy, challenge: { resource_metadata: { resource: "https://api.example.com/assets" } } };
      const both = await beside(same, same);
      await warm(both);
      for (const asked of [await request("/assets/1"), asking("/healthz"), asking("/assets/1"), asking("/.well-known/oauth-protected-resource/assets")]) await both.gate.check(asked);
      await pause(0);
      equal(both.shadows().map(({ decision, comparison }) => [decision, comparison]), [["allow", "agree"], ["allow", "agree"], ["deny", "agree"], ["answer", "agree"]]);
    },

    async "a candidate whose keys are missing is not waited for"() {
      const keys = await issuer();
      const other = { ...policy, issuers: [{ ...policy.issuers[0], keys: { jwks_uri: "https://slow.example/jwks.json" } }] };
      const told = [];
      const fetch = (uri, init) => (uri.includes("slow") ? new Promise(() => {}) : keys.fetch(uri, init));
      const gate = await createGate(policy, { fetch, onDecision: (event) => void told.push(event), shadow: shadow(other) });
      const before = performance.now();
      for (let times = 0; times < 3; times++) ok(await gate.check(await request("/assets/1")));
      await pause(0);
      equal([performance.now() - before < 1_000, gate.status().shadow.ready], [true, false]);
      equal(told.filter(({ mode }) => mode === "shadow").map(({ comparison, code }) => [comparison, code]), Array(3).fill(["not_compared", "keys_unavailable"]));
    },

    async "a candidate gets the response about an opaque token, and sends nothing"() {
      const opaque = (scopes) => ({
        ...policy,
        forward: undefined,
        issuers: [{ name: "legacy", audiences: ["platform"], introspection: { uri: "https://legacy.example/introspect", client: { id: "gate", secret: "s" }, prefix: ["opq_"] } }],
        rules: [{ path: "/free/**", public: true }, { path: "/**", require: { scopes } }],
      });
      const sent = [];
      const fetch = async (uri, init) => (sent.push([uri, init.body]), new Response(JSON.stringify({ active: true, sub: "user-1", aud: "platform", scope: "a", exp: Math.floor(Date.now() / 1000) + 600 })));
      const candidate = { ...opaque(["b"]), rules: [{ path: "/**", require: { scopes: ["b"] } }] };
      const { gate, shadows } = await beside(candidate, opaque(["a"]), { fetch });
      const bearer = (name) => ({ authorization: `Bearer opq_${name}` });
      ok(await gate.check(asking("/x", bearer("one"))));
      ok(await gate.check(asking("/x", bearer("one"))));
      await Promise.all([1, 2, 3].map(() => gate.check(asking("/x", bearer("two")))));
      await pause(5);
      equal([sent.length, shadows().map(({ comparison, code }) => `${comparison} ${code}`)], [2, Array(5).fill("would_deny scope_insufficient")]);
      // The policy in force does not ask, so the candidate cannot know.
      ok(await gate.check(asking("/free/x", bearer("three"))));
      await pause(5);
      equal([sent.length, shadows().at(-1).comparison], [2, "not_compared"]);
    },

    async "a candidate uses up no proof, and learns what was found out about it"() {
      const places = [{ header: "authorization", scheme: "Bearer" }, { header: "authorization", scheme: "DPoP" }];
      const bound = { ...policy, credentials: places, forward: undefined };
      const entered = [];
      const proofs = ({ id }) => (entered.includes(id) ? false : (entered.push(id), true));
      const both = await beside({ ...bound, rules: [{ path: "/more/**", require: {} }, ...bound.rules] }, bound, { proofs });
      await warm(both);
      const { gate, shadows } = both;
      const sender = await client();
      const held = await sender.token();
      const headers = await sender.headers(held, URI);
      ok(await gate.check(asking("/assets/1", headers)));
      deny(await gate.check(asking("/assets/1", headers)), "proof_replayed");
      ok(gate.checkSync(asking("/assets/1", await sender.headers(held, URI))));
      // The policy in force denies before it asks about the proof.
      const unused = await sender.headers(held, "https://api.example.com/more/x");
      deny(await gate.check(asking("/more/x", unused)), "rule_denied");
      await pause(0);
      equal(shadows().map(({ comparison, code }) => [comparison, code ?? null]), [["agree", null], ["agree", "proof_replayed"], ["agree", null], ["not_compared", "proofs_unavailable"]]);
      equal(entered.length, 2);
    },

    async "a candidate has a memory of its own: a fault in it changes nothing"() {
      const both = await beside(changed({ path: "/new", public: true }));
      await warm(both);
      const { gate, keys, shadows } = both;
      const fetched = keys.fetched.length;
      library.fail.next = "gate_lastEvent";
      // The first call is that of the policy in force.
      ok(await gate.check(await request("/assets/1")));
      library.fail.skip = 1;
      library.fail.next = "gate_check";
      ok(await gate.check(await request("/assets/1")));
      await pause(0);
      equal([library.fail.next ?? null, shadows().at(-1).comparison, shadows().at(-1).code], [null, "not_compared", "internal_error"]);
      ok(gate.checkSync(await request("/assets/1")));
      await pause(0);
      equal([shadows().at(-1).comparison, keys.fetched.length], ["agree", fetched]);
    },

    async "a candidate with errors is refused, and one can be replaced and removed"() {
      const keys = await issuer();
      const error = await rejects(createGate(policy, { shadow: shadow({ ...policy, rules: 1 }) }), CountersignError);
      equal(error.problems.length > 0, true);
      const gate = await createGate(policy, { fetch: keys.fetch });
      equal(gate.status().shadow, null);
      ok(await gate.check(await request("/assets/1")));
      await gate.reloadShadow(shadow(JSON.stringify(changed({ path: "/healthz", require: {} }))));
      // It has the keys of the policy in force.
      equal(gate.status().shadow.ready, true);
      ok(await gate.check(asking("/healthz")));
      await pause(0);
      equal(gate.status().shadow.counts, [{ comparison: "would_deny", rule: "/rules/0", code: "token_missing", count: 1 }]);
      const { policyDigest } = gate.status().shadow;
      await rejects(gate.reloadShadow(shadow("{")), CountersignError);
      await rejects(gate.reload("{"), CountersignError);
      equal([gate.status().shadow.policyDigest === policyDigest, gate.status().shadow.counts.length], [true, 1]);
      // What was counted was about the rules of the old policy.
      await gate.reload({ ...policy, realm: "other" });
      equal([gate.status().shadow.policyDigest === policyDigest, gate.status().shadow.counts], [true, []]);
      await gate.reloadShadow(null);
      equal([gate.status().shadow, keys.fetched.length], [null, 1]);
    },
  };
}
