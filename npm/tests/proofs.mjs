// A client of DPoP (RFC 9449): its key, tokens that are bound to it, and proofs. In any runtime.

import { token } from "./issuer.mjs";

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export async function client() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  // RFC 7638.
  const jkt = await sha256(JSON.stringify({ crv, kty, x, y }));

  /** The proof for one request; `changed` are other claims. */
  async function proof(bound, uri, method = "GET", changed = {}) {
    const claims = { jti: crypto.randomUUID(), htm: method, htu: uri.split("?")[0], iat: Math.floor(Date.now() / 1000), ath: await sha256(bound), ...changed };
    const input = [{ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, claims].map((part) => base64url(utf8.encode(JSON.stringify(part)))).join(".");
    return `${input}.${base64url(await crypto.subtle.sign(ECDSA, privateKey, utf8.encode(input)))}`;
  }

  return {
    proof,
    /** A token that is bound to the key. */
    token: (claims = {}) => token({ cnf: { jkt }, ...claims }),
    async headers(bound, uri, method, changed) {
      return { authorization: `DPoP ${bound}`, dpop: await proof(bound, uri, method, changed) };
    },
  };
}

const utf8 = new TextEncoder();

export async function sha256(text) {
  return base64url(await crypto.subtle.digest("SHA-256", utf8.encode(text)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
