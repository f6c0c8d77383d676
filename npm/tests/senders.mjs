// Tokens that are bound to their sender, in any runtime.

import { deny, equal, ok, rejects } from "./assert.mjs";
import { issuer, policy, token } from "./issuer.mjs";
import { client } from "./proofs.mjs";

const URI = "https://api.example.com/assets/1";
const bound = { ...policy, credentials: [{ header: "authorization", scheme: "Bearer" }, { header: "authorization", scheme: "DPoP" }], forward: undefined };
const certificate = Uint8Array.from({ length: 32 }, (_, index) => 7 * index);
const thumbprint = btoa(String.fromCharCode(...certificate)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export function senders({ createGate, CountersignError, answer }) {
  const opened = async (options = {}, changed = {}) => createGate({ ...bound, ...changed }, { fetch: (await issuer()).fetch, ...options });
  const asking = (headers) => new Request(URI, { headers });

  return {
    async "a proof is good once, and a bound token needs one"() {
      const [gate, sender] = [await opened(), await client()];
      const held = await sender.token();
      const headers = await sender.headers(held, URI);
      equal(ok(await gate.check(asking(headers))).principal.subject, "user-1");
      deny(await gate.check(asking(headers)), "proof_replayed");
      deny(gate.checkSync(asking(headers)), "proof_replayed");
      ok(gate.checkSync(asking(await sender.headers(held, URI))));
      deny(await gate.check(asking({ authorization: `DPoP ${held}` })), "proof_missing");
      deny(await gate.check(asking({ authorization: `Bearer ${held}` })), "proof_missing");
      deny(await gate.check(asking(await sender.headers(held, "https://api.example.com/assets/2"))), "proof_invalid");
      deny(await gate.check(asking(await (await client()).headers(held, URI))), "proof_invalid");
      // The scheme is that of the URL.
      const plain = URI.replace("https", "http");
      deny(await gate.check(new Request(plain, { headers: await sender.headers(held, URI) })), "proof_invalid");
      ok(await gate.check(new Request(plain, { headers: await sender.headers(held, plain) })));
    },

    async "of many requests with one proof at the same time, exactly one passes, in all gates of the process"() {
      const sender = await client();
      const gates = [await opened(), await opened(), await opened({ proofs: undefined })];
      for (const gate of gates) await gate.preload();
      const held = await sender.token();
      const headers = await sender.headers(held, URI);
      const codes = await Promise.all(Array.from({ length: 99 }, async (_, index) => (await gates[index % 3].check(asking(headers))).code));
      equal([codes.filter((code) => code === undefined).length, codes.filter((code) => code === "proof_replayed").length], [1, 98]);
    },

    async "an explanation and a denied request use no proof up"() {
      const [gate, sender] = [await opened(), await client()];
      await gate.preload();
      const [held, poor] = [await sender.token(), await sender.token({ scope: "other" })];
      const refused = await sender.headers(poor, URI);
      for (let times = 0; times < 3; times++) deny(await gate.check(asking(refused)), "scope_insufficient");
      const headers = await sender.headers(held, URI);
      for (let times = 0; times < 3; times++) equal(gate.explain(asking(headers)).some(({ verdict }) => verdict === "fail"), false);
      ok(await gate.check(asking(headers)));
    },

    async "without a request a bound token is denied, but not in a further check of an allowed request"() {
      const [gate, sender] = [await opened(), await client()];
      const held = await sender.token();
      deny(await gate.verify(held), "proof_missing");
      ok(await gate.verifyAgain(held));
      deny(await gate.verifyAgain(held, { scopes: ["other"] }), "scope_insufficient");
      ok(await gate.verifyAgain(await token()));
      deny(await gate.verifyAgain(`${held.slice(0, -8)}AAAAAAAA`), "signature_invalid");
    },

    async "a nonce is in the denial and in the response, which nobody stores"() {
      const sender = await client();
      const secrets = { nonces: "a secret of the nonces, of 32 bytes or more" };
      const gate = await opened({ secrets }, { dpop: { nonce: { secret_from: "nonces" } } });
      const held = await sender.token();
      const denial = deny(await gate.check(asking(await sender.headers(held, URI))), "nonce_required");
      const { headers, status } = answer(denial);
      equal([status, headers.get("dpop-nonce"), headers.get("cache-control"), denial.nonce.length > 20], [401, denial.nonce, "no-store", true]);
      ok(await gate.check(asking(await sender.headers(held, URI, "GET", { nonce: denial.nonce }))));
      deny(await gate.check(asking(await sender.headers(held, URI, "GET", { nonce: denial.nonce.replace(/^./, (first) => (first === "A" ? "B" : "A")) }))), "nonce_required");
      const poor = { authorization: `Bearer ${await token({ scope: "other" })}` };
      equal(answer(deny(await gate.check(asking(poor)), "scope_insufficient")).headers.get("dpop-nonce"), null);
    },

    async "a store of another process is asked once for each check, and what it does not say denies"() {
      const sender = await client();
      const held = await sender.token();
      const asked = [];
      const used = new Set();
      const shared = async (proof) => {
        asked.push(proof);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return used.size < used.add(proof.id).size;
      };
      const gates = [await opened({ proofs: shared }), await opened({ proofs: shared })];
      const headers = await sender.headers(held, URI);
      const codes = await Promise.all(Array.from({ length: 40 }, async (_, index) => (await gates[index % 2].check(asking(headers))).code));
      equal([codes.filter((code) => code === undefined).length, codes.filter((code) => code === "proof_replayed").length, asked.length], [1, 39, 40]);
      const [{ id, owner, expiresMs }] = asked;
      equal([Object.keys(asked[0]).sort(), /^[0-9a-f]{64}$/.test(id), /^[0-9a-f]{64}$/.test(owner), expiresMs > Date.now(), expiresMs < Date.now() + 3_600_000], [["expiresMs", "id", "owner"], true, true, true, true]);
      const failing = [() => Promise.reject(new Error("down")), () => { throw new Error("down"); }, async () => "OK", () => undefined, async () => 1, () => new Promise(() => {})];
      for (const proofs of failing) {
        const gate = await opened({ proofs, waitMs: 300 });
        const [denial, other] = await Promise.all([gate.check(asking(await sender.headers(held, URI))), gate.check(asking({ authorization: `Bearer ${await token()}` }))]);
        equal([deny(denial, "proofs_unavailable").status, answer(denial).headers.has("retry-after")], [503, true]);
        ok(other);
      }
    },

    async "a store that does not answer delays only requests with a proof, and they are bounded"() {
      const sender = await client();
      const held = await sender.token();
      const gate = await opened({ proofs: () => new Promise(() => {}), waitMs: 2_000 });
      await gate.preload();
      const hanging = await Promise.all(Array.from({ length: 300 }, async () => asking(await sender.headers(held, URI))));
      const before = performance.now();
      const denied = hanging.map((request) => gate.check(request));
      ok(await gate.check(asking({ authorization: `Bearer ${await token()}` })));
      equal(performance.now() - before < 1_500, true);
      for (const denial of await Promise.all(denied)) deny(denial, "proofs_unavailable");
    },

    async "without waiting, a store that is asked denies"() {
      const sender = await client();
      const gate = await opened({ proofs: async () => true });
      await gate.preload();
      deny(gate.checkSync(asking(await sender.headers(await sender.token(), URI))), "proofs_unavailable");
    },

    async "the certificate of the connection counts, and nothing that a client can write"() {
      const gate = await opened();
      const held = await token({ cnf: { "x5t#S256": thumbprint } });
      const head = (connection, more = []) => ({ method: "GET", authority: "api.example.com", target: "/assets/1", headers: [["authorization", `Bearer ${held}`], ...more], connection });
      ok(await gate.check(head({ certificate })));
      ok(gate.checkSync(head({ certificate, scheme: "https", peer: "10.200.0.255" })));
      const forged = [["client-cert", thumbprint], ["x-forwarded-client-cert", `Hash=${thumbprint}`]];
      for (const none of [undefined, {}, { certificate: undefined }, { peer: "10.0.0.1" }]) deny(await gate.check(head(none, forged)), "proof_missing");
      deny(await gate.check(head({ certificate: certificate.map((byte) => byte ^ 1) })), "proof_invalid");
      for (const odd of [new Uint8Array(31), new Uint8Array(1_000), thumbprint, 7, null, [...certificate]]) equal((await gate.check(head({ certificate: odd }))).allow, false);
      for (const odd of [7, "x", null]) equal((await gate.check(head(odd))).allow, false);
      deny(await gate.check(asking({ authorization: `Bearer ${held}` })), "proof_missing");
    },

    async "a proxy's header counts from its address only"() {
      const gate = await opened({}, { client_certificate: { header: "x-client-cert", format: "sha256", trusted_proxies: ["10.0.0.0/8", "2001:db8::/32"] } });
      const held = await token({ cnf: { "x5t#S256": thumbprint } });
      const from = async (peer) => (await gate.check({ method: "GET", authority: "api.example.com", target: "/assets/1", headers: [["authorization", `Bearer ${held}`], ["x-client-cert", thumbprint]], connection: { peer } })).code ?? "allow";
      for (const peer of ["10.1.2.3", "10.255.255.255", "::ffff:10.0.0.1", "2001:db8::1", "2001:db8:0:0:0:0:0:1", "2001:DB8::a%eth0"]) equal([peer, await from(peer)], [peer, "allow"]);
      for (const peer of [undefined, "", "11.0.0.1", "10.0.0.256", "10.0.0", "010.0.0.1.5", "::1", "::ffff:11.0.0.1", "2001:db9::1", "10.0.0.1:443", "[2001:db8::1]", "localhost"]) equal([peer, await from(peer)], [peer, "proof_missing"]);
    },

    async "secrets are handed over by name, stay for reloads, and are never shown"() {
      const secrets = { nonces: new TextEncoder().encode("secret-to-hide-of-at-least-32-bytes") };
      const changed = { dpop: { nonce: { secret_from: "nonces" } } };
      const error = await rejects(opened({}, changed), CountersignError);
      equal(error.problems.map(({ pointer, code }) => [pointer, code]), [["/dpop/nonce/secret_from", "secret_missing"]]);
      const gate = await opened({ secrets }, changed);
      // The gate has its own copy.
      secrets.nonces.fill(0);
      const sender = await client();
      const headers = await sender.headers(await sender.token(), URI);
      const { nonce } = deny(await gate.check(asking(headers)), "nonce_required");
      await gate.reload({ ...bound, ...changed });
      equal(deny(await gate.check(asking(headers)), "nonce_required").nonce, nonce);
      for (const odd of [7, null, undefined, {}, ["secret-to-hide"]]) {
        const refused = await rejects(opened({ secrets: { nonces: odd } }, changed), CountersignError);
        equal([refused.problems[0].code, refused.message.includes("nonces"), refused.message.includes("hide")], ["secret_invalid", true, false]);
      }
      const short = await rejects(opened({ secrets: { nonces: "hide-me" } }, changed), CountersignError);
      equal(JSON.stringify(short.problems).includes("hide"), false);
    },
  };
}
