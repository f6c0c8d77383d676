//! A policy to start from, for the tokens that this issuer mints.

use crate::issuer::Issuer;

/// A policy as YAML text, to start from: it trusts `issuer` for an API, a node-ingest path and an
/// organisation path.
pub fn starter_policy(issuer: &Issuer) -> String {
    let algorithms: Vec<_> = {
        let mut names: Vec<_> = issuer.keys.iter().map(|key| key.algorithm()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    // `insecure_http` only where it is needed: `policy lint` warns of it.
    let insecure = if issuer.url.starts_with("http://") {
        "\n      insecure_http: true # development only"
    } else {
        ""
    };
    format!(
        r#"# A policy for the development issuer. `countersign policy lint` checks it,
# `countersign policy schema` prints all that it may say.
contract: "1"
realm: platform

issuers:
  - name: dev
    issuer: "{url}"
    audiences: ["{audience}"]
    algorithms: [{algorithms}]
    keys:
      jwks_uri: "{jwks_uri}"{insecure}
    token_types:
      - name: pat # a person
        claim: {{ typ: pat }}
        max_lifetime_s: 1800
        required_claims: [tenant_id, roles, scopes]
      - name: njt # a node that wants to join
        claim: {{ typ: njt }}
        max_lifetime_s: 600
        scopes_within: ["node:join"]
      - name: nat # a node
        claim: {{ typ: nat }}
        max_lifetime_s: 1800
        scopes_within: ["node:*"]
    claims:
      subject: /sub
      tenant: /tenant_id
      roles: [/roles]
      scopes: [/scopes, /scope]
    scope_wildcards: true

credentials:
  - {{ header: authorization, scheme: Bearer }}

# The first that matches decides; what none matches is denied.
rules:
  - path: ["/.well-known/**", /healthz]
    public: true
  - path: "/assets/**"
    methods: [GET]
    require:
      types: [pat]
      scopes: {{ all: ["api:assets:read"] }}
      tenant: present
  - path: "/orgs/{{org}}/**"
    require:
      types: [pat]
      tenant: "{{org}}"
      roles: {{ any: [admin, editor] }}
  - path: /nodes/join
    methods: [POST]
    require: {{ types: [njt], scopes: {{ all: ["node:join"] }} }}
  - path: "/ingest/**"
    methods: [POST]
    require: {{ types: [nat], scopes: {{ all: ["node:ingest"] }} }}

forward:
  x-auth-subject: subject
  x-auth-tenant: tenant
  x-auth-scopes: scopes
"#,
        url = issuer.url,
        audience = issuer.audience,
        algorithms = algorithms.join(", "),
        jwks_uri = issuer.jwks_uri(),
    )
}
