// The alternatives in Node. Each has one key in advance, and checks issuer,
// audience and times as strictly as the gate, but not token types, scopes and
// tenants.

import { createPublicKey } from "node:crypto";
import { JwtVerifier } from "aws-jwt-verify";
import { createVerifier } from "fast-jwt";
import { importJWK, jwtVerify } from "jose";

export function fastJwt({ name, jwk, tokens }, { issuer, audience }, cache) {
  const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  let verify;
  return {
    name: cache ? "fast-jwt with cache" : "fast-jwt",
    open() {
      verify = createVerifier({
        key: pem,
        algorithms: [name],
        allowedIss: issuer,
        allowedAud: audience,
        clockTolerance: 30_000,
        requiredClaims: ["exp", "iss", "aud"],
        cache,
      });
    },
    check(from, to) {
      for (let index = from; index < to; index++) verify(tokens[index]);
    },
  };
}

export function awsJwtVerify({ jwk, tokens }, { issuer, audience }) {
  const verifier = JwtVerifier.create({
    issuer,
    audience,
    graceSeconds: 30,
    jwksUri: `${issuer}/.well-known/jwks.json`,
  });
  verifier.cacheJwks({ keys: [{ use: "sig", ...jwk }] });
  return {
    name: "aws-jwt-verify",
    open() {},
    check(from, to) {
      for (let index = from; index < to; index++) verifier.verifySync(tokens[index]);
    },
  };
}

/** Awaits each call before the next one, as the handler of a request does. */
export async function jose({ name, jwk, tokens }, { issuer, audience }) {
  const key = await importJWK(jwk, name);
  const options = {
    issuer,
    audience,
    algorithms: [name],
    clockTolerance: 30,
    requiredClaims: ["exp"],
  };
  return {
    name: "jose",
    open() {},
    async check(from, to) {
      for (let index = from; index < to; index++) await jwtVerify(tokens[index], key, options);
    },
  };
}
