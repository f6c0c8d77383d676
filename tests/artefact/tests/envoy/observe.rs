//! Tests of a filter that only observes, beside the filter that is replaced.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::stage::{
    self,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
    upstream,
};

/// A policy with a rule that the tokens of the tests do not meet.
fn observed(keys: Value) -> Value {
    let mut policy = policy::of(keys);
    policy["strip_credential"] = json!(true);
    policy["rules"] = json!([
        { "path": "/public/**", "public": true },
        { "name": "orders", "path": "/orders/**", "require": { "roles": ["clerk"] } },
        { "path": "/**", "require": {} },
    ]);
    policy
}

/// Envoy's own filter with the same keys.
fn jwt_authn(key: &Key) -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "platform": {
                "issuer": policy::ISSUER, "audiences": ["platform"], "forward": true,
                "local_jwks": { "inline_string": json!({ "keys": [key.public()] }).to_string() },
            } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "platform" } }],
        },
    })
}

#[test]
fn beside_jwt_authn_every_request_passes_as_it_came_and_is_counted() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let policy = observed(json!({ "jwks": { "keys": [key.public()] } }));
    let configuration = policy::with(
        &policy,
        json!({ "observe": true, "code_header": true,
            "filter_state": ["subject", "code", "rule", "rule_index", "policy_digest"] }),
    );
    let setup = Setup::new(&configuration, upstream::echo()).then(jwt_authn(&key));
    let envoy = Envoy::start(&binary, &setup);
    let token = policy::token(&key);
    let headers = [
        ("authorization", policy::bearer(&token)),
        ("x-auth-subject", b"the client's".to_vec()),
    ];
    for target in ["/", "/orders/1", "/public/"] {
        let reply = envoy.send("GET", target, &headers).unwrap();
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        let bearer = format!("authorization: Bearer {token}\r\n");
        assert!(reply.body.contains(&bearer), "{}", reply.body);
        let subject = "x-auth-subject: the client's\r\n";
        assert!(reply.body.contains(subject), "{}", reply.body);
        assert_eq!(reply.header("x-countersign-code"), None);
    }
    // What is refused is refused by Envoy's filter.
    let refused = envoy.get("/", None);
    assert_eq!((refused.status, &*refused.code()), (401, ""));
    let expected = [
        ("allowed", 2),
        ("denied.role_denied", 1),
        ("denied.token_missing", 1),
        ("ready", 1),
    ];
    eventually("all is counted", || {
        expected.iter().all(|(name, count)| {
            envoy.metric(&format!("wasmcustom.countersign.{name}")) == Some(*count)
        })
    });
    let log = envoy.log();
    assert!(log.contains("this filter protects nothing"), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[test]
fn no_request_waits_for_a_filter_that_observes() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let policy = observed(json!({ "jwks_uri": format!("{}/jwks", policy::ISSUER) }));
    let configuration = policy::with(&policy, json!({ "observe": true, "max_wait_ms": 60_000 }));
    issuer.publish(
        JWKS,
        Document::keys(&[&key]).after(std::time::Duration::from_secs(3)),
    );
    let envoy = Envoy::start(&binary, &stage::fetching(&issuer, &configuration));
    let token = policy::token(&key);
    assert_eq!(envoy.get("/", Some(&token)).status, 200);
    let metric = |name: &str| envoy.metric(&format!("wasmcustom.countersign.{name}"));
    eventually("it is counted", || metric("undecided") == Some(1));
    assert_eq!(metric("waited"), Some(0));
    eventually("the keys are there", || metric("ready") == Some(1));
    assert_eq!(envoy.get("/", Some(&token)).status, 200);
    eventually("it is decided", || metric("allowed") == Some(1));
}
