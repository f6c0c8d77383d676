//! The section of the configuration: every problem with its place.

use countersign_bridge::Config;
use serde_json::json;

use super::Trust;
use crate::common::{Database, Stage};

const START: &str = "\
issuer: https://auth.example.com
listen: \"127.0.0.1:9400\"
database: { sqlite: bridge.db }
master_keys: [{ env: MASTER }]
tokens: { audiences: [platform, billing] }
clients:
  orders: { secrets: [{ env: A }], grants: [token_exchange], audiences: [platform] }
  phone: { public: true, grants: [token_exchange] }
  batch: { secrets: [{ env: A }], grants: [client_credentials] }
exchange:
";

#[test]
fn every_problem_is_said_with_its_place() {
    let yaml = format!(
        "{START}  issuers:
    One: {{ }}
    two:
      issuer: https://auth.example.com
      audiences: []
      algorithms: [HS256]
      keys: {{ jwks_uri: a, discovery: true }}
      header_typ: [nat+jwt, application/NJT+jwt]
      members: true
      role_map: {{}}
      clients: {{ nobody: [platform], phone: [platform], batch: [platform], orders: [billing] }}
    three: {{ issuer: a, audiences: [a], algorithms: [], keys: {{ discovery: false }}, clients: {{}} }}
  own: {{ audiences: [elsewhere], clients: {{ orders: [] }} }}
  apps:
    nobody: {{ people_of: [a], audiences: [platform] }}
    orders: {{ people_of: [a], audiences: [platform] }}
  more: 1
"
    );
    let error = Config::parse("bridge.yaml", yaml.into_bytes()).unwrap_err();
    let problems = error.0.iter();
    let mut found: Vec<_> = problems
        .map(|problem| (problem.pointer.as_str(), problem.code.as_str()))
        .collect();
    found.sort_unstable();
    let expected = [
        ("/exchange/apps/nobody", "value_invalid"),
        ("/exchange/apps/orders", "value_invalid"),
        ("/exchange/issuers/One", "value_invalid"),
        ("/exchange/issuers/three", "value_invalid"),
        ("/exchange/issuers/three/algorithms", "value_invalid"),
        ("/exchange/issuers/three/clients", "value_invalid"),
        ("/exchange/issuers/three/keys/discovery", "value_invalid"),
        ("/exchange/issuers/two", "value_invalid"),
        ("/exchange/issuers/two/algorithms/0", "value_invalid"),
        ("/exchange/issuers/two/audiences", "value_invalid"),
        ("/exchange/issuers/two/clients/batch", "value_invalid"),
        ("/exchange/issuers/two/clients/nobody", "value_invalid"),
        ("/exchange/issuers/two/clients/orders/0", "value_invalid"),
        ("/exchange/issuers/two/clients/phone", "value_invalid"),
        ("/exchange/issuers/two/header_typ/0", "value_invalid"),
        ("/exchange/issuers/two/header_typ/1", "value_invalid"),
        ("/exchange/issuers/two/issuer", "value_invalid"),
        ("/exchange/issuers/two/keys", "value_invalid"),
        ("/exchange/more", "field_unknown"),
        ("/exchange/own/audiences/0", "value_invalid"),
        ("/exchange/own/clients/orders", "value_invalid"),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_is_wrong_in_the_policy_language_is_said_at_its_place_too() {
    let trust = Trust::open(Database::Sqlite).await;
    let known = trust.idp.to_public_jwk().unwrap();
    let stage = Stage::try_with(Database::Sqlite, |config| {
        config["clients"]["orders"]["grants"] = json!(["token_exchange"]);
        config["exchange"] = json!({ "issuers": { "idp": {
            "issuer": "https://id.example.com", "audiences": ["bridge"],
            "algorithms": ["ES256", "ES999"], "keys": { "jwks": { "keys": [known] } },
            "claims": { "tenant": "/tenant_id", "rolls": ["/roles"] },
            "require": { "kind": { "matches": ".*" } },
            "clients": { "orders": ["platform"] },
        } } });
    })
    .await;
    let error = stage.err().unwrap();
    let mut pointers: Vec<_> = error.0.iter().map(|problem| &*problem.pointer).collect();
    pointers.sort_unstable();
    let expected = [
        "/exchange/issuers/idp/algorithms/1",
        "/exchange/issuers/idp/claims/rolls",
        "/exchange/issuers/idp/require/kind",
        "/exchange/issuers/idp/require/kind/matches",
    ];
    assert_eq!(pointers, expected, "{error}");
}
