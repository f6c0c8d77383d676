// `countersign/bridge` with a bridge in memory: what is asked, what is remembered, and what is refused. `authjs.mjs` has a real one.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { bridgeTokens, BridgeError } from "countersign/bridge";
import { CountersignError } from "countersign";
import { build } from "esbuild";
import { equal, rejects } from "../assert.mjs";
import { run } from "../run.mjs";

const ISSUER = "https://auth.example.com";
const NOW_MS = 1_800_000_000_500;
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) };

export async function open() {
  return { name: "tokens of a bridge", play: () => run({ ...asking, ...remembering, ...refusing }), close() {} };
}

const ada = { person: { issuer: "https://accounts.example.com", subject: "ada" }, tenant: "acme", sessionExpiresAt: new Date(NOW_MS + 86_400_000) };
const pair = (algorithm) => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));
const wrapped = (base64) => base64.match(/.{1,64}/g).join("\n");
const pem = async (key) => `-----BEGIN PRIVATE KEY-----\n${wrapped(Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64"))}\n-----END PRIVATE KEY-----\n`;
const own = await pair(EC);
const answerOf = (status, body) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

/** A bridge that records the forms, and answers with the next tokens; `clock.ms` is the time of the app. */
function bridge({ answer = (count) => answerOf(200, { access_token: `token-${count}`, token_type: "Bearer", expires_in: 1_800 }), ...options } = {}) {
  const clock = { ms: NOW_MS };
  const asked = [];
  const fetch = async (uri, init) => {
    asked.push({ uri, init, form: Object.fromEntries(new URLSearchParams(init.body)) });
    return uri.endsWith("/revoke") ? answerOf(200, "") : answer(asked.length, init);
  };
  return { clock, asked, tokens: bridgeTokens({ issuer: ISSUER, clientId: "next", key: own.privateKey, fetch, now: () => clock.ms, ...options }) };
}

async function verified(jwt, algorithm, key) {
  const [header, claims, signature] = jwt.split(".");
  equal(await crypto.subtle.verify(algorithm, key, Buffer.from(signature, "base64url"), Buffer.from(`${header}.${claims}`)), true);
  return [decoded(header), decoded(claims)];
}

async function refusal(work, code, status) {
  const error = await rejects(work, BridgeError);
  equal([error.code, error.status, error.name], [code, status, "BridgeError"]);
  return error.message;
}

const asking = {
  async "two assertions: who the person is, and who the client is, each for this bridge, for a minute, and once"() {
    const { tokens, asked } = bridge({ kid: "2026" });
    const signedInAt = new Date(NOW_MS - 60_000);
    const { token, expiresAt } = await tokens({ ...ada, signedInAt, audience: "platform", scopes: ["orders:read", "orders:write"] });
    equal([token, expiresAt.getTime()], ["token-1", NOW_MS + 1_800_000]);
    const [{ uri, init, form }] = asked;
    equal([uri, init.method, init.redirect], [`${ISSUER}/oauth/token`, "POST", "manual"]);
    const { subject_token, client_assertion, ...others } = form;
    equal(others, {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      tenant: "acme",
      audience: "platform",
      scope: "orders:read orders:write",
      client_id: "next",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    });
    const [header, { jti, ...claims }] = await verified(subject_token, EC, own.publicKey);
    equal(header, { alg: "ES256", typ: "person-assertion+jwt", kid: "2026" });
    const common = { iss: "next", aud: ISSUER, iat: 1_800_000_000, exp: 1_800_000_060 };
    equal(claims, { ...common, sub_id: { format: "iss_sub", iss: "https://accounts.example.com", sub: "ada" }, session_expires_at: 1_800_086_400, auth_time: 1_799_999_940 });
    const [ownHeader, { jti: ownJti, ...ownClaims }] = await verified(client_assertion, EC, own.publicKey);
    equal([ownHeader, ownClaims], [{ alg: "ES256", typ: "JWT", kid: "2026" }, { ...common, sub: "next" }]);
    await tokens({ ...ada, tenant: "globex" });
    const ids = [jti, ownJti, ...[asked[1].form.subject_token, asked[1].form.client_assertion].map((jwt) => decoded(jwt.split(".")[1]).jti)];
    equal([new Set(ids).size, ids.every((id) => /^[\w-]{22}$/.test(id))], [4, true]);
    // What is not said is not asked for.
    equal(["scope" in asked[1].form, "audience" in asked[1].form], [false, false]);
  },

  async "a key is PKCS #8, a JWK or a CryptoKey, of P-256 or RSA"() {
    for (const [alg, algorithm] of Object.entries({ ES256: EC, RS256: RSA })) {
      const { privateKey, publicKey } = await pair(algorithm);
      const jwk = await crypto.subtle.exportKey("jwk", privateKey);
      for (const [key, kid] of [[await pem(privateKey)], [{ ...jwk, kid: "a" }, "a"], [{ ...jwk, alg: undefined, key_ops: undefined }], [privateKey]]) {
        const { tokens, asked } = bridge({ key });
        await tokens(ada);
        const [header] = await verified(asked[0].form.subject_token, algorithm, publicKey);
        equal(header, { alg, typ: "person-assertion+jwt", ...(kid && { kid }) });
      }
    }
  },

  async "another key is refused, and the error says nothing of it"() {
    const { privateKey, publicKey } = await pair({ ...EC, namedCurve: "P-384" });
    const pss = await pair({ ...RSA, name: "RSA-PSS" });
    const jwk = (key) => crypto.subtle.exportKey("jwk", key);
    const ecPem = await pem(own.privateKey);
    const sec1 = execFileSync("openssl", ["ec"], { input: ecPem, stdio: ["pipe", "pipe", "ignore"] }).toString();
    for (const key of ["", "secret", sec1, await jwk(own.publicKey), await jwk(privateKey), await jwk(pss.privateKey), own.publicKey, privateKey, publicKey, pss.privateKey]) {
      const error = await rejects(new Promise(() => bridge({ key })), CountersignError);
      equal([error.problems[0].code, error.message.includes("secret")], ["key_unusable", false]);
    }
    // What only WebCrypto knows is said by the first call.
    const ec = await jwk(own.privateKey);
    for (const key of [await pem(privateKey), ecPem.replace(/\n[^-]{8}/, "\nAAAAAAAA"), ecPem.replace("\nM", "\nM="), { ...ec, d: ec.x }, { ...ec, d: "" }]) {
      const error = await rejects(bridge({ key }).tokens(ada), CountersignError);
      equal(error.problems[0].code, "key_unusable");
    }
  },

  async "the issuer is an address that nobody on the way can read"() {
    for (const issuer of ["", "auth.example.com", "http://auth.example.com", `${ISSUER}/`, `${ISSUER}/a`, `${ISSUER}:443`, "HTTPS://auth.example.com", "https://a@auth.example.com", "http://127.0.0.1:1", "file:///a"]) {
      const error = await rejects(new Promise(() => bridge({ issuer })), CountersignError);
      equal([issuer, error.problems[0].code], [issuer, "value_invalid"]);
    }
    for (const issuer of ["http://auth.example.com", "http://127.0.0.2:1"]) await rejects(new Promise(() => bridge({ issuer, insecureHttp: true })), CountersignError);
    for (const issuer of ["http://127.0.0.1:8480", "http://localhost:8480", "http://[::1]:8480"]) bridge({ issuer, insecureHttp: true });
  },

  async "a browser gets neither the code nor a client"() {
    globalThis.document = {};
    try {
      equal((await rejects(new Promise(() => bridge()), CountersignError)).problems[0].code, "server_only");
    } finally {
      delete globalThis.document;
    }
    const bundled = (options) => build({ stdin: { contents: 'export * from "countersign/bridge";', resolveDir: fileURLToPath(new URL(".", import.meta.url)) }, bundle: true, write: false, logLevel: "silent", format: "esm", ...options });
    for (const options of [{ platform: "browser" }, { conditions: ["workerd"] }, { conditions: ["edge-light"] }]) {
      const fault = await bundled(options).then(() => "bundled", ({ message }) => message);
      equal([options, fault.includes('Could not resolve "countersign/bridge"')], [options, true]);
    }
    equal((await bundled({ platform: "node" })).outputFiles.length, 1);
  },
};

const remembering = {
  async "a token is remembered until half a minute before its end"() {
    const { tokens, asked, clock } = bridge();
    const got = async () => (await tokens(ada)).token;
    equal([await got(), await got()], ["token-1", "token-1"]);
    clock.ms += 1_800_000 - 30_001;
    equal([await got(), asked.length], ["token-1", 1]);
    clock.ms += 1;
    equal([await got(), await got(), asked.length], ["token-2", "token-2", 2]);
    equal([(await tokens({ ...ada, fresh: true })).token, await got()], ["token-3", "token-3"]);
  },

  async "each person, tenant, audience, set of scopes and sign-in has a token of its own"() {
    const { tokens, asked } = bridge();
    const scopes = ["a", "b"];
    const all = [ada, { ...ada, tenant: "globex" }, { ...ada, audience: "billing" }, { ...ada, scopes }, { ...ada, scopes: ["a"] }, { ...ada, scopes: ["a b "] }, { ...ada, signedInAt: new Date(NOW_MS) }];
    all.push({ ...ada, person: { ...ada.person, subject: "alan" } }, { ...ada, person: { ...ada.person, issuer: "https://other.example.com" } }, { ...ada, person: { issuer: 'https://accounts.example.com","ada', subject: "" } });
    for (let round = 0; round < 2; round++) for (const signedIn of all) await tokens(signedIn);
    equal(asked.length, all.length);
    // The order of scopes changes nothing, and neither does a session that is prolonged.
    equal((await tokens({ ...ada, scopes: ["b", "a", "b"] })).token, (await tokens({ ...ada, scopes })).token);
    await tokens({ ...ada, sessionExpiresAt: new Date(NOW_MS + 99_000_000) });
    equal(asked.length, all.length);
  },

  async "no token lasts longer than the session that it is for"() {
    const { tokens, asked, clock } = bridge();
    const until = (ms) => tokens({ ...ada, sessionExpiresAt: new Date(NOW_MS + ms) });
    await until(86_400_000);
    const short = await until(600_000);
    equal([short.token, short.expiresAt.getTime()], ["token-2", NOW_MS + 600_000]);
    equal((await until(86_400_000)).token, "token-2");
    // Also of those that are asked for at the same moment.
    clock.ms += 590_000;
    const both = await Promise.all([until(86_400_000), until(700_000)]);
    equal(both.map(({ token }) => token), ["token-3", "token-4"]);
    for (const ended of [0, 590_000, NaN]) await refusal(until(ended), "invalid_request", null);
    equal(asked.length, 4);
  },

  async "concurrent calls for the same share one request, and its error, which is not remembered"() {
    let fails = true;
    const { tokens, asked } = bridge({ answer: (count) => (fails ? answerOf(503, { error: "temporarily_unavailable" }) : answerOf(200, { access_token: `token-${count}`, token_type: "bearer", expires_in: 60 })) });
    const many = () => Promise.allSettled(Array.from({ length: 50 }, () => tokens(ada)));
    equal([...new Set((await many()).map(({ reason }) => reason?.code))], ["temporarily_unavailable"]);
    fails = false;
    equal([new Set((await many()).map(({ value }) => value?.token)).size, asked.length], [1, 2]);
  },

  async "a sign-out revokes the tokens of the person, also those that are being asked for"() {
    let answered;
    const { tokens, asked } = bridge({ answer: async (count) => (count > 2 && (await answered), answerOf(200, { access_token: `token-${count}`, token_type: "Bearer", expires_in: 1_800 })) });
    const alan = { ...ada, person: { ...ada.person, subject: "alan" } };
    await tokens(ada);
    await tokens(alan);
    let answer;
    answered = new Promise((resolve) => (answer = resolve));
    const late = tokens({ ...ada, tenant: "globex" });
    const out = tokens.signOut(ada.person);
    answer();
    await out;
    equal((await late).token, "token-3");
    const revoked = asked.filter(({ uri }) => uri === `${ISSUER}/oauth/revoke`).map(({ form }) => [form.token, typeof form.client_assertion, form.grant_type]);
    equal(revoked, [["token-1", "string", undefined], ["token-3", "string", undefined]]);
    const again = [await tokens(ada), await tokens({ ...ada, tenant: "globex" }), await tokens(alan)].map(({ token }) => token);
    equal([again[0] === "token-1", again[1] === "token-3", again[2]], [false, false, "token-2"]);
  },

  async "so many requests may wait for the bridge, and no more"() {
    let answer;
    const { tokens } = bridge({ answer: () => new Promise((resolve) => (answer = resolve)), timeoutMs: 300 });
    const waiting = Array.from({ length: 1_024 }, (_, number) => tokens({ ...ada, tenant: String(number) }));
    equal((await refusal(tokens(ada), "temporarily_unavailable", null)).includes("too many"), true);
    equal([...new Set((await Promise.allSettled(waiting)).map(({ reason }) => reason?.code))], ["temporarily_unavailable"]);
    const later = tokens(ada);
    while (!answer) await new Promise((resolve) => setTimeout(resolve, 5));
    equal((await refusal(later, "temporarily_unavailable", null)).includes("timeout"), true);
  },
};

const refusing = {
  async "an error has the code of OAuth and the bridge's fixed text"() {
    for (const [status, error, code = error] of [[400, "invalid_request"], [401, "invalid_client"], [400, "invalid_target"], [400, "invalid_scope"], [503, "temporarily_unavailable"], [400, "something_new", "server_error"], [502, undefined, "temporarily_unavailable"], [302, undefined, "server_error"]]) {
      const { tokens, asked } = bridge({ answer: () => answerOf(status, { error, error_description: "the subject token is not good here" }) });
      const message = await refusal(tokens(ada), code, status);
      equal([message, asked.length], [`${code === error ? "the subject token is not good here" : `the bridge answered ${status}`} (${code})`, 1]);
    }
    for (const error_description of ["a\nb", 'token="x"', "a".repeat(201), "", 7, undefined]) {
      const { tokens } = bridge({ answer: () => answerOf(400, { error: "invalid_request", error_description }) });
      equal(await refusal(tokens(ada), "invalid_request", 400), "the bridge refused the request (invalid_request)");
    }
  },

  async "what is no answer of a bridge gives no token"() {
    const good = { access_token: "a", token_type: "Bearer", expires_in: 60 };
    const wrong = [{ access_token: undefined }, { access_token: "" }, { access_token: 7 }, { token_type: undefined }, { token_type: "DPoP" }, { expires_in: undefined }, { expires_in: "60" }, { expires_in: 0 }, { expires_in: -1 }].map((change) => ({ ...good, ...change }));
    for (const body of [...wrong, "", "null", "[]", "<html>"]) await refusal(bridge({ answer: () => answerOf(200, body) }).tokens(ada), "server_error", 200);
    await refusal(bridge({ answer: () => answerOf(200, { ...good, access_token: "a".repeat(70_000) }) }).tokens(ada), "temporarily_unavailable", null);
    await refusal(bridge({ answer: () => Promise.reject(new TypeError("fetch failed")) }).tokens(ada), "temporarily_unavailable", null);
  },

  async "nothing is printed, and neither the key nor a token is in what could be"() {
    const said = [];
    const kinds = ["log", "info", "warn", "error", "debug"];
    const real = Object.fromEntries(kinds.map((kind) => [kind, console[kind]]));
    for (const kind of kinds) console[kind] = (...words) => said.push(words);
    try {
      const jwk = await crypto.subtle.exportKey("jwk", own.privateKey);
      const { tokens } = bridge({ key: jwk });
      await tokens(ada);
      const failing = bridge({ key: jwk, answer: () => answerOf(400, { error: "invalid_request", access_token: "token-1" }) });
      const error = await rejects(failing.tokens(ada), BridgeError);
      const printed = inspect([tokens, failing.tokens, error], { depth: 9, showHidden: true }) + error.stack;
      equal([said, ["token-1", jwk.d, jwk.x, "ada"].filter((secret) => printed.includes(secret))], [[], []]);
    } finally {
      Object.assign(console, real);
    }
  },
};
