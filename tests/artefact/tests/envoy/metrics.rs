//! Tests of the metrics in Envoy's admin interface.

use std::time::Duration;

use countersign_artefact_tests::token::Key;
use serde_json::json;

use crate::stage::{
    self,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
};

#[test]
fn requests_and_fetches_are_counted() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]).after(Duration::from_secs(1)));
    let setup = stage::fetching(&issuer, &policy::by_cluster(&policy::fetched()));
    let envoy = Envoy::start(&binary, &setup);
    let token = policy::token(&key);
    assert_eq!(
        envoy.get("/", Some(&token)).status,
        200,
        "after it has waited"
    );
    assert_eq!(envoy.get("/", Some(&token)).status, 200);
    assert_eq!(envoy.get("/public/", None).status, 200);
    assert_eq!(envoy.get("/", None).status, 401);
    assert_eq!(envoy.get("/", None).status, 401);

    let expected = [
        ("allowed", 3),
        ("remembered", 1),
        ("waited", 1),
        ("fetches_ok", 1),
        ("fetches_failed", 0),
        ("denied.token_missing", 2),
        ("denied.token_expired", 0),
        ("documents_unusable", 0),
    ];
    eventually("all is counted", || {
        expected.iter().all(|(name, count)| {
            envoy.metric(&format!("wasmcustom.countersign.{name}")) == Some(*count)
        })
    });
}

#[test]
fn metrics_show_old_keys_and_a_failing_issuer() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    let mut policy = policy::fetched();
    policy["issuers"][0]["revocations"] =
        json!({ "uri": format!("{}/revoked", policy::ISSUER), "refresh_s": 5 });
    let configuration = policy::with(&policy, json!({ "metrics_prefix": "edge.gate" }));
    let setup = stage::fetching(&issuer, &configuration);
    let envoy = Envoy::start(&binary, &setup);
    let metric = |name| envoy.metric(&format!("wasmcustom.edge.gate.{name}"));
    eventually("the keys are two seconds old", || {
        metric("keys_age_s") >= Some(2)
    });
    assert_eq!(metric("fetches_ok"), Some(1));
    assert!(
        metric("fetches_failed") >= Some(1),
        "there is no list of revocations"
    );
    assert_eq!(metric("documents_unusable"), Some(1));

    issuer.publish("/revoked", Document::new(&json!({})));
    eventually("the list is there", || {
        metric("documents_unusable") == Some(0)
    });
}

#[test]
fn metrics_show_an_issuer_without_keys() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[]));
    let setup = stage::fetching(&issuer, &policy::by_cluster(&policy::fetched()));
    let envoy = Envoy::start(&binary, &setup);
    let reply = envoy.get("/", Some(&policy::token(&key)));
    assert_eq!(reply.code(), "key_unknown");
    eventually("it is counted", || {
        envoy.metric("wasmcustom.countersign.fetches_empty") == Some(1)
    });
    assert!(
        envoy.log().contains("the set has no keys"),
        "{}",
        envoy.log()
    );
}
