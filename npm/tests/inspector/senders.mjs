// Policies that name secrets, and tokens that are bound to their sender: what the page cannot know.

import { equal } from "../assert.mjs";
import { issuer as issuing, token } from "../issuer.mjs";
import { ask, seen } from "./page.mjs";

const issuer = (more = {}) => ({ name: "platform", issuer: "https://auth.example.com", audiences: ["platform"], algorithms: ["ES256"], keys: { jwks_uri: "https://auth.example.com/jwks.json" }, ...more });
const places = [{ header: "authorization", scheme: "Bearer" }, { header: "authorization", scheme: "DPoP" }];
const policy = (more) => JSON.stringify({ contract: "1", credentials: places, rules: [{ path: "/**", require: {} }], issuers: [issuer()], ...more });

export const senders = (inspector) => ({
  async "a policy that names secrets opens, with a warning at each, and no other is taken for valid"() {
    await inspector.with(async (page) => {
      await ask(page, { policy: policy({ dpop: { nonce: { secret_from: ["new", "old"] } } }) });
      const { headline, text } = await seen(page);
      equal([headline, text.includes("this page does not know the secret")], ["The policy is valid", true]);
      await ask(page, { policy: policy({ dpop: { nonce: { secret_form: "new" } } }) });
      equal((await seen(page)).headline, "The policy is not usable");
    });
  },

  async "of API keys and opaque tokens the page says that it has not what they need"() {
    await inspector.with(async (page) => {
      const keys = { name: "keys", api_keys: { uri: "https://keys.example/keys.json", prefix: ["sk_"], pepper: [{ version: "1", secret_from: "pepper" }], checksum: false } };
      const opaque = { name: "opaque", audiences: "any", introspection: { uri: "https://opaque.example/", client: { id: "gate", secret_from: "client" }, prefix: ["opq_"] } };
      const both = policy({ issuers: [keys, opaque] });
      for (const [given, code] of [["sk_1_abc", "api_keys_unavailable"], ["opq_abc", "introspection_unavailable"]]) {
        for (const request of [{}, { method: "GET", target: "https://api.example.com/x" }]) {
          await ask(page, { policy: both, token: given, keys: '{"keys":[]}', ...request });
          equal((await seen(page)).code, code);
        }
      }
    });
  },

  async "a bound token without its proof is denied, and the page says who can correct that"() {
    await inspector.with(async (page) => {
      const bound = await token({ cnf: { jkt: "A".repeat(43) } });
      const keys = JSON.stringify({ keys: (await issuing()).jwks });
      for (const more of [{}, { issuers: [issuer({ dpop: "required" })] }]) {
        for (const request of [{}, { method: "GET", target: "https://api.example.com/x" }]) {
          await ask(page, { policy: policy(more), token: bound, keys, ...request });
          const { code, text } = await seen(page);
          equal([code, text.includes("proves that the token is its own")], ["proof_missing", true]);
        }
      }
    });
  },
});
