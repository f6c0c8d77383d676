//! The policy by which a gate verifies the tokens of a bridge.

use serde_json::json;

use super::Class;
use crate::config::{ApiKeySettings, Config};

/// The policy as YAML text, to start from: it trusts the bridge, tells the classes of its
/// tokens apart, and has a rule for each. With API keys it names secrets that the host brings
/// (`secret_from`): `api-key-pepper`, a second one as `api-key-pepper-2` and so on, and
/// `api-keys-authorization`, which is `Bearer` and a secret of the readers.
pub fn gate_policy(config: &Config) -> String {
    let issuer = config.issuer.as_str();
    let tokens = &config.tokens;
    let insecure = match config.issuer.is_http() {
        true => "\n      insecure_http: true # development only",
        false => "",
    };
    let audiences = json!(tokens.audiences);
    let [pat, njt, nat] = [Class::Pat, Class::Njt, Class::Nat].map(Class::header_typ);
    let (pat_s, njt_s, nat_s) = (tokens.pat_s, tokens.njt_s, tokens.nat_s);
    let (api_keys, api) = match &config.api_keys {
        None => (String::new(), "{ types: [pat], tenant: present }"),
        Some(keys) => (
            issuer_of_keys(config, keys),
            "{ any_of: [{ types: [pat] }, { issuers: [api-keys] }], tenant: present }",
        ),
    };
    format!(
        r#"# A policy for the tokens of this bridge. `countersign policy lint` checks it,
# `countersign policy schema` prints all that it may say.
contract: "1"
realm: platform

issuers:
  - name: bridge
    issuer: "{issuer}"
    audiences: {audiences} # leave only your own
    algorithms: [ES256, RS256]
    keys:
      jwks_uri: "{issuer}/.well-known/jwks.json"{insecure}
    revocations:
      uri: "{issuer}/revocations.json"
      required: true # while nobody knows what is revoked, no token is good{insecure}
    token_types:
      - name: pat # a person, or a machine
        header_typ: [{pat}]
        max_lifetime_s: {pat_s}
        required_claims: [sub, jti, client_id, scope, roles]
      - name: njt # a node that wants to join
        header_typ: [{njt}]
        max_lifetime_s: {njt_s}
        required_claims: [sub, jti, client_id, tenant_id]
        scopes_within: ["node:join"]
      - name: nat # a node
        header_typ: [{nat}]
        max_lifetime_s: {nat_s}
        required_claims: [sub, jti, client_id, tenant_id]
        scopes_within: ["node:*"]
    claims:
      subject: /sub
      tenant: /tenant_id
      roles: [/roles]
      scopes: [/scope]
{api_keys}
credentials:
  - {{ header: authorization, scheme: Bearer }}

# The first that matches decides; what none matches is denied.
rules:
  - path: /healthz
    public: true
  - path: "/api/**"
    require: {api}
  - path: "/ingest/**"
    methods: [POST]
    require: {{ types: [nat], scopes: ["node:ingest"] }}

forward:
  x-auth-subject: subject
  x-auth-tenant: tenant
  x-auth-scopes: scopes
"#
    )
}

/// The issuer that has the keys which people make at `/v1/keys`.
fn issuer_of_keys(config: &Config, keys: &ApiKeySettings) -> String {
    let issuer = config.issuer.as_str();
    let insecure = match config.issuer.is_http() {
        true => "\n      insecure_http: true # development only",
        false => "",
    };
    let peppers = keys.peppers.iter().enumerate().map(|(index, pepper)| {
        let name = match index {
            0 => "api-key-pepper".to_owned(),
            index => format!("api-key-pepper-{}", index + 1),
        };
        json!({ "version": pepper.version, "secret_from": name })
    });
    let peppers = serde_json::Value::from_iter(peppers);
    let prefix = json!([keys.prefix]);
    format!(
        r#"
  - name: api-keys # what people make for programs
    api_keys:
      uri: "{issuer}/api-keys.json"{insecure}
      headers: {{ authorization: {{ secret_from: api-keys-authorization }} }}
      prefix: {prefix}
      pepper: {peppers}
"#
    )
}
