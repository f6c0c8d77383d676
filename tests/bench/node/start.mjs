// `node start.mjs NAME`: runs one contestant in its own process, with the
// workload on standard input. Prints the nanoseconds from import to the first
// verified token, without the start of Node itself.

import { readFileSync } from "node:fs";

const { policy, jwk, issuer, audience, token } = JSON.parse(readFileSync(0, "utf8"));

const contestants = {
  async countersign() {
    const { createGate } = await import("countersign");
    const gate = await createGate(policy);
    if (!(await gate.verify(token)).allow) throw new Error("denied");
  },
  async "fast-jwt"() {
    const [{ createVerifier }, { createPublicKey }] = [await import("fast-jwt"), await import("node:crypto")];
    const key = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
    createVerifier({ key, algorithms: ["RS256"], allowedIss: issuer, allowedAud: audience })(token);
  },
  async jose() {
    const { importJWK, jwtVerify } = await import("jose");
    await jwtVerify(token, await importJWK(jwk, "RS256"), { issuer, audience, algorithms: ["RS256"] });
  },
  async "aws-jwt-verify"() {
    const { JwtVerifier } = await import("aws-jwt-verify");
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks.json` });
    verifier.cacheJwks({ keys: [{ use: "sig", ...jwk }] });
    verifier.verifySync(token);
  },
  async jsonwebtoken() {
    const [{ default: jsonwebtoken }, { createPublicKey }] = [await import("jsonwebtoken"), await import("node:crypto")];
    jsonwebtoken.verify(token, createPublicKey({ key: jwk, format: "jwk" }), { issuer, audience, algorithms: ["RS256"] });
  },
};

const begin = process.hrtime.bigint();
await contestants[process.argv[2]]();
console.log(String(process.hrtime.bigint() - begin));
