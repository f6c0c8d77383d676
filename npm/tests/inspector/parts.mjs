// Parts of the page without a browser: where a token goes in a request, and which document answers a fetch.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { equal, rejects } from "../assert.mjs";

async function load(name) {
  const entry = fileURLToPath(new URL(`../../inspector/src/${name}.ts`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false, logLevel: "warning" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}

export const parts = {
  async "a token goes to the place where the policy looks for it"() {
    const { carry } = await load("carry");
    const head = { method: "GET", authority: "a.example", target: "/ws?a=b", headers: [["x", "1"]] };
    const put = (...credentials) => {
      const { target, headers } = carry(head, "a.b.c", credentials);
      return headers.length > 1 ? headers.slice(1) : target;
    };
    equal(put(), [["authorization", "Bearer a.b.c"]]);
    equal(put({ header: "authorization", scheme: "DPoP" }), [["authorization", "DPoP a.b.c"]]);
    equal(put({ header: "x-token" }), [["x-token", "a.b.c"]]);
    equal(put({ header: "authorization", scheme: "Basic" }), [["authorization", `Basic ${btoa("token:a.b.c")}`]]);
    equal(put({ cookie: "session" }, { header: "x-token" }), [["cookie", "session=a.b.c"]]);
    equal(put({ query: "access_token" }), "/ws?a=b&access_token=a.b.c");
    equal(carry({ ...head, target: "/ws" }, "a.b.c", [{ query: "access_token" }]).target, "/ws?access_token=a.b.c");
    equal(put({ websocket_protocol: { after: "v1.json" } }), [["sec-websocket-protocol", "v1.json, a.b.c"]]);
    equal(put({ websocket_protocol: { prefix: "bearer.", base64url: true } }), [["sec-websocket-protocol", `bearer.${Buffer.from("a.b.c").toString("base64url")}`]]);
    equal(put({ header: "x-iap", principal: "proxy", issuers: ["iap"] }, { cookie: "session" }), [["cookie", "session=a.b.c"]]);
    equal(carry(head, "", []), head);
  },

  async "the places of the request's rule come before those of the policy"() {
    const { credentialsOf } = await load("carry");
    const policy = { credentials: [{ cookie: "a" }], rules: [{ path: "/" }, { path: "/ws", credentials: [{ query: "t" }] }] };
    const found = (detail, verdict = "pass") => credentialsOf(policy, [{ check: "path", verdict: "pass", detail: "/rules/1" }, { check: "rule", verdict, detail }]);
    equal(found("/rules/0"), policy.credentials);
    equal(found("/rules/1"), policy.rules[1].credentials);
    equal(found("no rule of the policy matches", "fail"), policy.credentials);
    equal(credentialsOf({}, []), []);
  },

  async "each source of keys gets its form of the pasted keys"() {
    const { fetcher } = await load("documents");
    const issuers = [
      { name: "a", issuer: "https://a.example/", keys: { discovery: true } },
      { name: "b", issuer: { template: "https://b.example/{t}", claims: {} }, keys: [{ jwks_uri: "https://b.example/jwks" }, { pem_uri: "https://b.example/pem" }], revocations: { uri: "https://b.example/revoked" } },
      { name: "c", issuer: { absent: true }, keys: { pem_uri: "https://c.example/{kid}.pem" } },
    ];
    const pem = "-----BEGIN PUBLIC KEY-----";
    const fetch = fetcher({ issuers }, { keys: '{"keys":[]}', keysText: pem, kid: "k", revocations: "" });
    const body = async (uri) => (await fetch(uri)).text();
    equal(JSON.parse(await body("https://a.example/.well-known/openid-configuration")).issuer, "https://a.example/");
    equal(await body("https://b.example/jwks"), '{"keys":[]}');
    equal(await body("https://b.example/pem"), JSON.stringify({ k: pem }));
    equal(await body("https://c.example/k.pem"), pem);
    await rejects(fetch("https://b.example/revoked"), Error);
    await rejects(fetcher({ issuers }, { keys: "", keysText: "", revocations: "" })("https://b.example/pem"), Error);
  },
};
