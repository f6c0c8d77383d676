// An issuer in memory: its keys, its tokens, and a policy that trusts it.

export const policy = {
  contract: "1",
  issuers: [
    {
      name: "platform",
      issuer: "https://auth.example.com",
      audiences: ["platform"],
      algorithms: ["ES256"],
      keys: { jwks_uri: "https://auth.example.com/jwks.json" },
      claims: { tenant: "/tenant_id" },
    },
  ],
  credentials: [{ header: "authorization", scheme: "Bearer" }, { cookie: "session", same_origin: true }],
  rules: [
    { path: "/healthz", public: true },
    { path: "/assets/**", methods: ["GET"], require: { scopes: ["assets:read"] } },
    { path: "/orgs/{org}/**", require: { tenant: "{org}" } },
  ],
  forward: { "x-auth-subject": "subject" },
};

const signing = new Map();

/** An issuer whose `fetch` answers with its keys and records the requests. */
export async function issuer() {
  const keys = { jwks: [], fetched: [] };
  keys.fetch = async (uri, init) => {
    keys.fetched.push({ uri, init });
    return new Response(JSON.stringify({ keys: keys.jwks }), { headers: { "cache-control": "max-age=600" } });
  };
  await addIssuer(keys, "first");
  return keys;
}

export async function addIssuer(keys, kid) {
  const { publicKey } = await pair(kid);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  keys.jwks.push({ kid, kty, crv, x, y });
}

function pair(kid) {
  if (!signing.has(kid)) {
    signing.set(kid, crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]));
  }
  return signing.get(kid);
}

export async function token(claims = {}, kid = "first") {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: "https://auth.example.com",
    aud: "platform",
    sub: "user-1",
    tenant_id: "acme",
    scope: "assets:read",
    iat: now,
    exp: now + 3600,
    ...claims,
  };
  const input = `${base64url(utf8({ alg: "ES256", kid }))}.${base64url(utf8(all))}`;
  const { privateKey } = await pair(kid);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

export async function request(target, claims, kid) {
  const headers = { authorization: `Bearer ${await token(claims, kid)}` };
  return new Request(`https://api.example.com${target}`, { headers });
}

function utf8(value) {
  return new TextEncoder().encode(JSON.stringify(value));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
