//! Policies to start from, for the tokens that this issuer mints.

use serde_json::json;

use crate::issuer::Issuer;

/// A policy as YAML text, to start from: it trusts `issuer` for an API, a node-ingest path and an
/// organisation path.
pub fn starter_policy(issuer: &Issuer) -> String {
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
        algorithms = issuer.algorithms().join(", "),
        jwks_uri = issuer.jwks_uri(),
        insecure = insecure(issuer),
    )
}

/// A policy as YAML text, for an app that signs people in with a
/// [`Provider`](crate::Provider): it trusts the ID tokens that these clients get.
pub fn id_token_policy(issuer: &Issuer, clients: &[String]) -> String {
    format!(
        r#"# A policy for the ID tokens of the development provider. An app checks them when
# somebody has signed in; an API should take tokens that are for it.
contract: "1"
realm: sign-in

issuers:
  - name: dev
    issuer: "{url}"
    # Client IDs: an ID token is for the app that asked for it.
    audiences: {clients}
    algorithms: [{algorithms}]
    keys:
      jwks_uri: "{jwks_uri}"{insecure}
    token_types:
      - name: id
        header_typ: [JWT]
        max_lifetime_s: 600
        required_claims: [sub, auth_time]
    claims:
      subject: /sub
      tenant: /organization
      roles: [/roles]

credentials:
  - {{ header: authorization, scheme: Bearer }}

# The first that matches decides; what none matches is denied. The app compares the
# claim `nonce` with that of the sign-in which it began.
rules:
  - path: "/orgs/{{org}}/**"
    require: {{ types: [id], tenant: "{{org}}" }}
  - path: "/**"
    require: {{ types: [id] }}

forward:
  x-auth-subject: subject
  x-auth-tenant: tenant
  x-auth-roles: roles
"#,
        url = issuer.url,
        clients = json!(clients),
        algorithms = issuer.algorithms().join(", "),
        jwks_uri = issuer.jwks_uri(),
        insecure = insecure(issuer),
    )
}

/// `insecure_http` only where it is needed: `policy lint` warns of it.
fn insecure(issuer: &Issuer) -> &'static str {
    if issuer.url.starts_with("http://") {
        "\n      insecure_http: true # development only"
    } else {
        ""
    }
}
