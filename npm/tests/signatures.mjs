// Signatures by the runtime's own cryptography, in any runtime.

import { deny, equal, ok, rejects } from "./assert.mjs";
import { issuer, policy, request, token } from "./issuer.mjs";

/** `runtime.native` tells whether there is `node:crypto`. */
export function signatures({ createGate, CountersignError }, runtime) {
  const demanding = { ...policy, signatures: "native" };
  const refusal = async (asked, options) => (await rejects(createGate(asked, options), CountersignError)).message;

  return {
    async "without the option, the module verifies, and a policy that demands something else is refused with a clear sentence"() {
      const gate = await createGate(policy);
      equal([gate.verifier.by, gate.verifier.name, gate.verifier.fips], ["module", "countersign", false]);
      gate.close();
      equal(
        await refusal(demanding),
        "the policy is not usable:\n  /signatures: this host verifies signatures in the module: set its option `signatures` to `native`, if it has cryptography of its own (signatures_unavailable)",
      );
      equal((await refusal(policy, { signatures: "openssl" })).includes("`signatures` cannot be `openssl`"), true);
    },

    async "`native` needs `node:crypto`"() {
      if (runtime.native) return equal((await createGate(demanding, { signatures: "native" })).verifier.by, "native");
      equal(
        await refusal(demanding, { signatures: "native" }),
        "the configuration is not usable:\n  /: in this runtime, `signatures` cannot be `native`: say `module`, or `webcrypto` for its WebCrypto (signatures_unavailable)",
      );
    },

    async "the runtime's cryptography decides as the module does"() {
      for (const signatures of runtime.native ? ["native", "webcrypto"] : ["webcrypto"]) {
        const keys = await issuer();
        const gate = await createGate(demanding, { fetch: keys.fetch, signatures });
        equal(gate.verifier.by, signatures);
        const [good, other] = [await token(), await token({ sub: "user-2" })];
        ok(await gate.check(new Request("https://api.example.com/assets/1", { headers: { authorization: `Bearer ${good}` } })));
        const forged = `${other.slice(0, other.lastIndexOf("."))}${good.slice(good.lastIndexOf("."))}`;
        for (let times = 0; times < 3; times++) deny(await gate.verify(forged), "signature_invalid");
        for (let times = 0; times < 3; times++) ok(await gate.verify(other));
        // A token that was verified is remembered.
        const asked = await request("/assets/1");
        ok(await gate.check(asked));
        ok(gate.checkSync(asked));
        equal(gate.explain(asked).find(({ check }) => check === "signature").verdict, "pass");
        const together = await Promise.all(Array.from({ length: 300 }, async (_, index) => gate.verify(index % 3 === 0 ? forged : await token({ sub: `user-${index}` }))));
        equal(together.map(({ allow, code }) => (allow ? "allow" : code)).every((said, index) => said === (index % 3 === 0 ? "signature_invalid" : "allow")), true);
        gate.close();
      }
    },

    async "two principals' signatures are verified in one check"() {
      const credentials = [{ header: "authorization", scheme: "Bearer", issuers: ["platform"] }, { header: "x-service", issuers: ["platform"], principal: "service" }];
      const rules = [{ path: "/both", require: {}, principals: { service: {} } }];
      for (const signatures of runtime.native ? ["native", "webcrypto"] : ["webcrypto"]) {
        const gate = await createGate({ ...demanding, credentials, rules }, { fetch: (await issuer()).fetch, signatures });
        const headers = { authorization: `Bearer ${await token()}`, "x-service": await token({ sub: "service-1" }) };
        const { principal, principals } = ok(await gate.check(new Request("https://api.example.com/both", { headers })));
        equal([principal.subject, principals.service.subject], ["user-1", "service-1"]);
        const bad = { ...headers, "x-service": `${headers["x-service"].slice(0, -86)}${headers.authorization.slice(-86)}` };
        equal(deny(await gate.check(new Request("https://api.example.com/both", { headers: bad })), "signature_invalid").principalName, "service");
        gate.close();
      }
    },

    async "without waiting, asynchronous cryptography denies a token that is not remembered"() {
      const gate = await createGate(policy, { fetch: (await issuer()).fetch, signatures: "webcrypto" });
      await gate.preload();
      const asked = await request("/assets/1");
      equal(deny(gate.checkSync(asked), "internal_error").status, 503);
      equal(gate.explain(asked).find(({ check }) => check === "signature").verdict, "wait");
      ok(await gate.check(asked));
      ok(gate.checkSync(asked));
      gate.close();
    },

    async "a policy that demands a validated module is refused by others"() {
      for (const signatures of runtime.native ? ["native", "webcrypto"] : ["webcrypto"]) {
        const { problems } = await rejects(createGate({ ...demanding, fips: true }, { signatures }), CountersignError);
        equal(problems.map(({ pointer, code }) => [pointer, code]), [["/fips", "signatures_unavailable"]]);
      }
    },
  };
}
