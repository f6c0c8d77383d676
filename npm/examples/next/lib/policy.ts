import type { Policy } from "countersign";

const platform = process.env.PLATFORM_URL ?? "http://127.0.0.1:4000";

export const policy: Policy = {
  contract: "1",
  issuers: [
    {
      name: "platform",
      issuer: "https://platform.example.com",
      audiences: ["platform"],
      algorithms: ["ES256"],
      keys: { jwks_uri: `${platform}/jwks.json`, insecure_http: platform.startsWith("http:") },
      token_types: [
        { name: "pat", claim: { typ: "pat" }, max_lifetime_s: 1800, required_claims: ["tenant_id"] },
        { name: "nat", claim: { typ: "nat" }, max_lifetime_s: 1800, scopes_within: ["node:*"] },
      ],
      claims: { tenant: "/tenant_id" },
    },
  ],
  credentials: [
    { header: "authorization", scheme: "Bearer" },
    { cookie: "platform_session", same_origin: true },
    { cookie: "node_session", same_origin: true },
  ],
  rules: [
    { path: ["/_next/static/**", "/favicon.ico"], methods: ["GET"], public: true },
    // NextAuth protects its own routes, and the exchange.
    { path: ["/", "/api/auth/**", "/api/token"], public: true },
    { path: ["/handbook", "/badge.png"], require: { types: ["pat"] } },
    { path: "/{org}/dashboard", require: { types: ["pat"], tenant: "{org}" } },
    { path: "/api/assets", methods: ["GET"], require: { types: ["pat"], scopes: ["api:assets:read"] } },
    { path: "/api/node", require: { types: ["nat"], scopes: ["node:ingest"] } },
  ],
  forward: { "x-auth-subject": "subject", "x-auth-tenant": "tenant" },
};
