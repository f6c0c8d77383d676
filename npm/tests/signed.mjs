// Signed policies, in any runtime.

import { deny, equal, ok, rejects } from "./assert.mjs";
import { issuer, policy, request } from "./issuer.mjs";

const utf8 = new TextEncoder();
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const URL_OF_POLICY = "https://policies.example/shop.jws";

/** A key that signs policies. */
export async function signer(kid = "2026-a") {
  const { privateKey, publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { kty, crv, x } = await crypto.subtle.exportKey("jwk", publicKey);
  return {
    trust: { keys: [{ kty, crv, kid, x }], policy: "shop", audience: "production" },
    async sign(text, version, header = {}) {
      const all = { typ: "countersign-policy+jws", alg: "EdDSA", kid, policy: "shop", aud: "production", version, exp: Math.floor(Date.now() / 1000) + 3_600, ...header };
      const input = `${base64url(utf8.encode(JSON.stringify(all)))}.${base64url(utf8.encode(typeof text === "string" ? text : JSON.stringify(text)))}`;
      return `${input}.${base64url(await crypto.subtle.sign("Ed25519", privateKey, utf8.encode(input)))}`;
    },
  };
}

export const withRule = (path) => ({ ...policy, rules: [...policy.rules, { path, public: true }] });
const passes = async (gate, path) => (await gate.check(new Request(`https://api.example.com${path}`))).allow;

export function signed({ createGate, CountersignError, signedPolicy }) {
  /** A server of a signed policy, with an ETag, beside an issuer. */
  async function server(body) {
    const keys = await issuer();
    const served = { body, fetched: [], status: 200 };
    served.fetch = async (uri, init) => {
      if (uri !== URL_OF_POLICY) return keys.fetch(uri, init);
      const etag = `"${served.body.slice(-20)}"`;
      const known = new Headers(init.headers).get("if-none-match");
      served.fetched.push({ known, init });
      if (served.status !== 200) return new Response("no", { status: served.status });
      return known === etag ? new Response(null, { status: 304 }) : new Response(served.body, { headers: { etag } });
    };
    return served;
  }

  return {
    async "a signed policy is in force, and a newer one replaces it"() {
      const { sign, trust } = await signer();
      const served = await server(await sign(withRule("/one"), 3));
      const source = signedPolicy({ url: URL_OF_POLICY, trust, onError: () => {} });
      const gate = await createGate(source, { fetch: served.fetch });
      ok(await gate.check(await request("/assets/1")));
      equal([await passes(gate, "/one"), await passes(gate, "/two")], [true, false]);
      const { version, kid, expiresMs, lastSuccessMs, lastError } = gate.status().source;
      equal([version, kid, expiresMs > Date.now(), Math.abs(lastSuccessMs - Date.now()) < 5_000, lastError], [3, "2026-a", true, true, null]);
      equal([await source.poll(), served.fetched.length, served.fetched[1].known !== null, served.fetched[1].init.redirect], [false, 2, true, "manual"]);
      const { policyDigest } = gate.status();
      served.body = await sign(withRule("/two"), 4);
      equal([await source.poll(), await passes(gate, "/one"), await passes(gate, "/two")], [true, false, true]);
      equal([gate.status().source.version, gate.status().policyDigest === policyDigest], [4, false]);
      // Signed anew, the same text has a new version.
      served.body = await sign(withRule("/two"), 5);
      equal([await source.poll(), gate.status().source.version], [true, 5]);
      served.body = await sign(withRule("/one"), 4);
      equal([await source.poll(), gate.status().source.lastError.problems[0].code], [false, "version_old"]);
      ok(gate.checkSync(await request("/assets/1")));
    },

    async "whatever is wrong with a signed policy, the one in force stays, and the error is told"() {
      const [{ sign, trust }, stranger] = [await signer(), await signer()];
      const served = await server(await sign(withRule("/one"), 3));
      const told = [];
      const source = signedPolicy({ url: URL_OF_POLICY, trust, onError: (error) => void told.push(error) });
      const gate = await createGate(source, { fetch: served.fetch });
      const now = Math.floor(Date.now() / 1000);
      const next = withRule("/two");
      const wrong = {
        "another key": await stranger.sign(next, 4),
        "another policy": await sign(next, 4, { policy: "other" }),
        "another audience": await sign(next, 4, { aud: "staging" }),
        "an older version": await sign(next, 2),
        expired: await sign(next, 4, { exp: now - 10 }),
        "another type": await sign(next, 4, { typ: "JWT" }),
        "no policy": await sign({ ...next, rules: 1 }, 4),
        "no JWS": "{}",
      };
      for (const [what, body] of Object.entries(wrong)) {
        served.body = body;
        const before = told.length;
        equal([what, await source.poll(), await passes(gate, "/one"), await passes(gate, "/two"), told.length - before], [what, false, true, false, 1]);
        equal([told.at(-1) instanceof CountersignError, gate.status().source.lastError === told.at(-1), gate.status().source.version], [true, true, 3]);
      }
      served.status = 500;
      equal([await source.poll(), told.at(-1).problems[0].message], [false, "the server answered 500"]);
      served.status = 302;
      equal([await source.poll(), told.at(-1).problems[0].message], [false, "the server answered 302"]);
      served.status = 200;
      served.body = await sign(next, 3);
      equal([await source.poll(), gate.status().source.lastError, await passes(gate, "/two")], [true, null, true]);
    },

    async "without a good policy no gate opens"() {
      const [{ sign, trust }, stranger] = [await signer(), await signer()];
      const served = await server(await stranger.sign(withRule("/one"), 3));
      const opened = (options = {}) => createGate(signedPolicy({ url: URL_OF_POLICY, trust, ...options }), { fetch: served.fetch });
      const again = signedPolicy({ url: URL_OF_POLICY, trust });
      for (let times = 0; times < 2; times++) equal((await rejects(createGate(again, { fetch: served.fetch }), CountersignError)).problems[0].code, "signature_invalid");
      served.body = await sign(withRule("/one"), 3);
      await rejects(opened({ trust: { ...trust, min_version: 4 } }), CountersignError);
      await rejects(opened({ trust: { ...trust, keys: [] } }), CountersignError);
      served.status = 404;
      equal((await rejects(opened(), CountersignError)).problems[0].code, "policy_unavailable");
      served.status = 200;
      const gate = await createGate(again, { fetch: served.fetch });
      equal(gate.status().source.version, 3);
      equal((await rejects(createGate(again, { fetch: served.fetch }), CountersignError)).problems[0].message, "the source belongs to another gate");
    },

    async "plain http is allowed to this machine only, and only if it is said"() {
      const { trust } = await signer();
      const codeOf = async (url, insecureHttp) => {
        const fault = await Promise.resolve().then(() => signedPolicy({ url, trust, insecureHttp })).then(() => undefined, (fault) => fault);
        return fault?.problems[0].code ?? null;
      };
      for (const url of ["http://policies.example/shop.jws", "http://localhost.example/", "http://localhost@policies.example/", "http://127.0.0.2/", "http://10.0.0.1/", "data:text/plain,x", "ftp://localhost/"]) {
        equal([url, await codeOf(url), await codeOf(url, true)], [url, "policy_unavailable", "policy_unavailable"]);
      }
      for (const url of ["http://localhost:8080/shop.jws", "http://127.0.0.1/", "http://[::1]:1/"]) equal([url, await codeOf(url), await codeOf(url, true)], [url, "policy_unavailable", null]);
      equal(await codeOf("https://policies.example/"), null);
    },

    async "a policy that is in force when it expires stays in force"() {
      const { sign, trust } = await signer();
      let now = Date.now();
      const served = await server(await sign(withRule("/one"), 3));
      const source = signedPolicy({ url: URL_OF_POLICY, trust, onError: () => {} });
      const gate = await createGate(source, { fetch: served.fetch, now: () => now });
      now += 2 * 3_600_000;
      // Also if the server says that it has not changed.
      for (const end of ["", " "]) {
        served.body += end;
        equal([await source.poll(), await passes(gate, "/one"), gate.status().source.lastError.problems[0].code], [false, true, "expired"]);
      }
      equal([gate.status().source.version, served.fetched[1].known !== null], [3, true]);
      deny(await gate.check(new Request("https://api.example.com/two")), "rule_denied");
    },
  };
}
