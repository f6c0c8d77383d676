//! The configuration that a new user starts with, but for its ports.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use crate::stage::{
    self,
    envoy::Envoy,
    issuer::{Document, Issuer, JWKS},
    policy,
};

const EXAMPLE: &str = include_str!("../../../../envoy-filter/example.yaml");

#[test]
fn the_example_works_as_it_is() {
    let Some(binary) = stage::binary() else {
        return;
    };
    const DEV: &str = "http://127.0.0.1:8181";
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let metadata = json!({ "issuer": DEV, "jwks_uri": format!("{DEV}/jwks") });
    issuer.publish(
        "/.well-known/openid-configuration",
        Document::new(&metadata),
    );
    issuer.publish(JWKS, Document::keys(&[&key]));
    let port = |port: u16| format!("port_value: {port}");
    let example = EXAMPLE
        .replace(&port(9901), &port(0))
        .replace(&port(10_000), &port(0))
        .replace(&port(8181), &port(issuer.address.port()));
    let envoy = Envoy::start_yaml(&binary, &example);

    let mut claims = policy::claims();
    claims["iss"] = json!(DEV);
    let token = key.sign(&claims);
    let reply = envoy.get("/orgs/acme/seats", Some(&token));
    assert_eq!((reply.status, &*reply.body), (200, "you may pass\n"));
    assert_eq!(
        envoy.get("/orgs/globex/seats", Some(&token)).code(),
        "tenant_denied"
    );
    assert_eq!(envoy.get("/orgs/acme/seats", None).code(), "token_missing");
    assert_eq!(envoy.get("/elsewhere", Some(&token)).code(), "rule_denied");
    assert_eq!(envoy.get("/healthz", None).status, 200);
}
