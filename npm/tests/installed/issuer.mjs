// The issuer of the README, https://auth.example.com: its keys answer the runtime's `fetch`, and nothing else does.

import { generateKeyPairSync, sign } from "node:crypto";

const KEYS = "https://auth.example.com/.well-known/jwks.json";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "first", alg: "RS256" }] };

/** Replaces `fetch`. Requests to this computer go through. */
export function serveKeys() {
  const { fetch } = globalThis;
  globalThis.fetch = async (resource, init) => {
    const uri = String(resource.url ?? resource);
    if (uri === KEYS) return Response.json(jwks);
    if (uri.startsWith("http://127.0.0.1:")) return fetch(resource, init);
    throw new Error(`no server for ${uri}`);
  };
}

/** An `Authorization` header. */
export function bearer(tenant) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://auth.example.com", aud: "platform", sub: "user-1", tenant_id: tenant, roles: ["editor"], iat: now, exp: now + 600 };
  const input = [{ alg: "RS256", kid: "first" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return { authorization: `Bearer ${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}` };
}
