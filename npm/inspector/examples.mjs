// Creates the examples with the published test keys of this repository. Their time is fixed, so that the output is always the same.

import { createPrivateKey, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const NOW = "2026-11-21T09:30:00Z";
const nowS = Date.parse(NOW) / 1000;

const key = (name) => JSON.parse(readFileSync(`../../tests/keys/${name}.json`, "utf8"));
const { kty, n, e } = key("rsa-2048-a");
const keys = JSON.stringify({ keys: [{ kty, kid: "2026-11", use: "sig", alg: "RS256", n, e }] }, undefined, 2);

const policy = `contract: "1"
realm: platform
leeway_s: 30
issuers:
  - name: platform
    issuer: https://auth.example.com
    audiences: [platform]
    algorithms: [RS256]
    keys: { jwks_uri: "https://auth.example.com/.well-known/jwks.json" }
    claims: { tenant: /tenant_id }
rules:
  - { path: /healthz, public: true }
  - path: /orgs/{org}/**
    require: { tenant: "{org}", roles: { any: [admin, editor] } }
  - path: /assets/**
    methods: [GET]
    require: { scopes: { all: ["assets:read"] } }
forward: { x-auth-subject: subject, x-auth-tenant: tenant }
`;

const wrong = policy
  .replace("algorithms: [RS256]", "algorithms: [RS265]")
  .replace('tenant: "{org}"', 'tenant: "{organisation}"')
  .replace("public: true", "publik: true");

const alice = {
  iss: "https://auth.example.com",
  sub: "alice",
  aud: "platform",
  iat: nowS - 600,
  nbf: nowS - 600,
  exp: nowS + 3000,
  jti: "9f0c2a77",
  tenant_id: "acme",
  roles: ["editor"],
  scope: "assets:read profile",
};

/** One base64url part of a token. */
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims = {}, { header = {}, signer = "rsa-2048-a" } = {}) {
  const input = `${base64url({ alg: "RS256", kid: "2026-11", typ: "JWT", ...header })}.${base64url({ ...alice, ...claims })}`;
  if (header.alg === "none") return `${input}.`;
  return `${input}.${sign("sha256", Buffer.from(input), createPrivateKey({ key: key(signer), format: "jwk" })).toString("base64url")}`;
}

const seats = { policy, keys, method: "GET", target: "/orgs/acme/seats", headers: "host: api.example.com", time: NOW };

/** `expect` is `allow`, the code of a denial, or `undecided`. */
const examples = [
  { name: "Admitted", expect: "allow", entries: { ...seats, token: token() } },
  { name: "Expired", expect: "token_expired", entries: { ...seats, token: token({ iat: nowS - 7800, nbf: nowS - 7800, exp: nowS - 4200 }) } },
  { name: "Another tenant", expect: "tenant_denied", entries: { ...seats, token: token(), target: "/orgs/globex/seats" } },
  { name: "Scope missing", expect: "scope_insufficient", entries: { ...seats, token: token({ scope: "profile" }), target: "/assets/logo.svg" } },
  { name: "Forged", expect: "signature_invalid", entries: { ...seats, token: token({ sub: "root", roles: ["admin"] }, { signer: "rsa-2048-b" }) } },
  { name: "alg: none", expect: "algorithm_not_allowed", entries: { ...seats, token: token({}, { header: { alg: "none", kid: undefined } }) } },
  { name: "No keys", expect: "undecided", entries: { ...seats, token: token(), keys: "" } },
  { name: "Broken policy", expect: "undecided", entries: { ...seats, token: token(), policy: wrong } },
  { name: "Only a token", expect: "undecided", entries: { token: token(), time: NOW } },
];

writeFileSync("src/examples.json", JSON.stringify(examples));
