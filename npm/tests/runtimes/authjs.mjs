// An app with Auth.js, its login provider, the bridge and a gate, all real: what people may do at the service behind the gate. It needs the command `countersign`.

import { bridgeTokens, BridgeError } from "countersign/bridge";
import { createGate } from "countersign";
import { app } from "../authjs/app.mjs";
import { Browser } from "../authjs/browser.mjs";
import { COMMAND, freePort, listening, platform } from "../authjs/platform.mjs";
import { deny, equal, ok, rejects } from "../assert.mjs";
import { run } from "../run.mjs";

const { SigningKey } = await import(new URL("../node_modules/countersign/esm/signing-key.js", import.meta.url));

/** On plain http; on https it has the prefix `__Secure-`. */
const SESSION = "authjs.session-token";
const PAIR = { name: "ECDSA", namedCurve: "P-256" };
const ORDERS = "https://api.example.com/api/orders";

export async function open() {
  if (COMMAND === undefined) return { name: "Auth.js: skipped, because COUNTERSIGN_COMMAND does not name the command", play: async () => ({ passed: 0, faults: [], skipped: 1 }), close() {} };
  const port = await freePort();
  const pairs = { next: await crypto.subtle.generateKey(PAIR, true, ["sign", "verify"]), other: await crypto.subtle.generateKey(PAIR, true, ["sign", "verify"]) };
  const keys = {};
  for (const [id, { publicKey }] of Object.entries(pairs)) keys[id] = { ...(await crypto.subtle.exportKey("jwk", publicKey)), alg: "ES256", kid: id };
  const around = await platform({ app: `http://127.0.0.1:${port}`, keys });
  const asked = [];
  const recording = (uri, init) => (asked.push(new URLSearchParams(init.body)), fetch(uri, init));
  const client = (clientId, { privateKey }, kid) => bridgeTokens({ issuer: around.issuer, clientId, key: privateKey, kid, insecureHttp: true, fetch: recording });
  const tokens = client("next", pairs.next, "next");
  const web = await listening(app({ provider: around.provider, tokens, service: around.service }), port);
  return {
    name: `Auth.js on Node.js ${process.versions.node}`,
    play: () => run(tests({ ...around, web: web.url, asked, pairs, client, tokens })),
    async close() {
      await web.close();
      await around.close();
    },
  };
}

function tests({ login, issuer, policy, gate, web, asked, pairs, client, tokens, join, leave }) {
  const signedIn = (subject, more) => ({ person: { issuer: login, subject }, tenant: "acme", sessionExpiresAt: new Date(Date.now() + 3_600_000), ...more });
  const browsing = async (person) => {
    const browser = new Browser(web);
    await browser.signIn(person);
    return browser;
  };
  const exchange = async (form) => {
    const response = await fetch(`${issuer}/oauth/token`, { method: "POST", body: form });
    return [response.status, (await response.json()).error];
  };
  const checked = (gate, token) => gate.check(new Request(ORDERS, { headers: { authorization: `Bearer ${token}` } }));

  return {
    async "the session of Auth.js is encrypted, and a gate refuses it"() {
      await join("ada");
      const browser = await browsing("ada");
      const cookie = browser.cookie(SESSION);
      equal([cookie.split(".").length, JSON.parse(Buffer.from(cookie.split(".")[0], "base64url")).enc], [5, "A256CBC-HS512"]);
      const reading = await createGate({ ...policy, credentials: [...policy.credentials, { cookie: SESSION, same_origin: true }] });
      const headers = { cookie: browser.cookies, "sec-fetch-site": "same-origin" };
      deny(await reading.check(new Request(ORDERS, { headers })), "token_malformed");
      deny(await checked(gate, cookie), "token_malformed");
      reading.close();
    },

    async "the app's server exchanges it for a token that the gate accepts, and asks once"() {
      const browser = await browsing("ada");
      const before = asked.length;
      const [status, { subject, ...order }] = await browser.json("/acme/orders");
      equal([status, order], [200, { issuer: "bridge", type: "pat", tenant: "acme", roles: ["clerk"], scopes: ["orders:read"] }]);
      // A person of the bridge, not a name of the provider or of Auth.js.
      equal(/^p_/.test(subject), true);
      equal([(await browser.json("/acme/orders"))[1].subject, asked.length], [subject, before + 1]);
      equal(await new Browser(web).json("/acme/orders"), [401, { code: "signed_out" }]);
    },

    async "who is no member gets nothing, and neither does a member of another organisation"() {
      const browser = await browsing("alan");
      equal(await browser.json("/acme/orders"), [403, { code: "invalid_request" }]);
      await join("alan");
      equal((await browser.json("/acme/orders"))[0], 200);
      equal(await browser.json("/globex/orders"), [403, { code: "invalid_request" }]);
      await leave("alan");
      const error = await rejects(tokens(signedIn("alan", { fresh: true })), BridgeError);
      equal([error.code, error.status], ["invalid_request", 400]);
    },

    async "more scope and another audience are refused"() {
      const browser = await browsing("ada");
      equal(await browser.json("/acme/orders?scopes=orders:read+orders:write"), [403, { code: "invalid_scope" }]);
      equal(await browser.json("/acme/orders?audience=billing"), [403, { code: "invalid_target" }]);
      equal((await browser.json("/acme/orders?scopes=orders:read&audience=platform"))[0], 200);
    },

    async "an assertion that is sent again is refused"() {
      await tokens(signedIn("ada", { fresh: true }));
      const form = asked.at(-1);
      equal(await exchange(form), [401, "invalid_client"]);
      // With another proof of who the client is, too.
      const now = Math.floor(Date.now() / 1_000);
      const own = { iss: "next", sub: "next", aud: issuer, iat: now, exp: now + 60, jti: "another" };
      form.set("client_assertion", await new SigningKey(pairs.next.privateKey, "next").sign("JWT", own));
      equal(await exchange(form), [400, "invalid_request"]);
    },

    async "the key of another app is refused, and another app does not speak for this one"() {
      const forged = await rejects(client("next", pairs.other, "next")(signedIn("ada")), BridgeError);
      equal([forged.code, forged.status], ["invalid_client", 401]);
      // Its own person is good, an assertion that `next` has signed is not.
      ok(await checked(gate, (await client("other", pairs.other)(signedIn("ada"))).token));
      const theirs = asked.at(-1);
      const failing = bridgeTokens({ issuer, clientId: "next", key: pairs.next.privateKey, insecureHttp: true, fetch: async (_, { body }) => (asked.push(new URLSearchParams(body)), new Response("{}", { status: 503 })) });
      await rejects(failing(signedIn("ada")), BridgeError);
      const now = Math.floor(Date.now() / 1_000);
      theirs.set("subject_token", asked.at(-1).get("subject_token"));
      theirs.set("client_assertion", await new SigningKey(pairs.other.privateKey).sign("JWT", { iss: "other", sub: "other", aud: issuer, iat: now, exp: now + 60, jti: "a third" }));
      equal(await exchange(theirs), [400, "invalid_request"]);
    },

    async "people of a provider that the bridge does not name are refused, and a session that has ended"() {
      const stranger = { issuer: "https://evil.example.com", subject: "ada" };
      equal((await rejects(tokens(signedIn("ada", { person: stranger })), BridgeError)).code, "invalid_request");
      equal((await rejects(tokens(signedIn("ada", { sessionExpiresAt: new Date() })), BridgeError)).code, "invalid_request");
      // The token of a session that ends soon ends with it.
      const end = new Date(Date.now() + 120_000);
      const { token, expiresAt } = await tokens(signedIn("ada", { sessionExpiresAt: end, fresh: true }));
      const { exp } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
      equal([exp <= end.getTime() / 1_000, expiresAt <= end, expiresAt.getTime() <= exp * 1_000 + 1_000], [true, true, true]);
    },

    async "a sign-out revokes the tokens of the person"() {
      const browser = await browsing("ada");
      equal((await browser.json("/acme/orders"))[0], 200);
      const { token } = await tokens(signedIn("ada"));
      ok(await checked(gate, token));
      await browser.signOut();
      equal([browser.cookie(SESSION) ?? null, (await browser.json("/acme/orders"))[0]], [null, 401]);
      // A gate that has fetched the revocations since then.
      const later = await createGate(policy, { readyMs: 10_000 });
      deny(await checked(later, token), "token_revoked");
      later.close();
    },
  };
}
