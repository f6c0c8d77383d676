//! Workloads of Kubernetes and SPIFFE.

use countersign::Code::{
    AudienceMismatch, ClaimDenied, ClaimMismatch, ClaimMissing, IssuerUnknown, KeyUnknown,
};
use serde_json::json;

use crate::{
    bench::Bench,
    token::{EC, RSA, Token, jwks},
};

fn kubernetes() -> Bench {
    let values = [
        ("issuer", "https://my-cluster.example.com"),
        ("audience", "https://my-audience.example.com"),
        ("namespace", "my-namespace"),
        ("service-account", "my-serviceaccount"),
    ];
    Bench::new("kubernetes", &values).publishes(
        "https://my-cluster.example.com/openid/v1/jwks",
        jwks(&[&RSA]),
    )
}

/// Kubernetes, "Managing Service Accounts", "Schema for service account private
/// claims".
fn bound() -> Token {
    Token::new(
        &RSA,
        json!({
            "aud": ["https://my-audience.example.com"],
            "iss": "https://my-cluster.example.com",
            "jti": "aed34954-b33a-4142-b1ec-389d6bbb4936",
            "kubernetes.io": {
                "namespace": "my-namespace",
                "node": { "name": "my-node", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
                "pod": { "name": "my-pod", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3" },
                "serviceaccount": { "name": "my-serviceaccount", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
            },
            "nbf": 1_795_867_140,
            "sub": "system:serviceaccount:my-namespace:my-serviceaccount",
        }),
    )
}

#[test]
fn kubernetes_tokens_of_the_service_account_pass_with_their_namespace() {
    let grant = kubernetes().admits(&bound());
    let principal = grant.principal.as_ref().unwrap();
    assert_eq!(principal.tenant.as_deref(), Some("my-namespace"));
}

#[test]
fn kubernetes_refuses_the_pods_own_token_other_accounts_and_other_clusters() {
    let mut kubernetes = kubernetes();
    // The token that every pod has is for the API server.
    kubernetes.refuses(
        AudienceMismatch,
        &bound().with("aud", json!(["https://my-cluster.example.com"])),
    );
    let same_name = bound().with(
        "sub",
        json!("system:serviceaccount:default:my-serviceaccount"),
    );
    kubernetes.refuses(ClaimDenied, &same_name);
    let other = bound().with("sub", json!("system:serviceaccount:my-namespace:default"));
    kubernetes.refuses(ClaimDenied, &other);
    kubernetes.refuses(
        IssuerUnknown,
        &bound().with("iss", json!("https://other-cluster.example.com")),
    );
    // "Manually create a long-lived API token for a ServiceAccount": of another
    // issuer, for nobody in particular, for ever.
    let legacy = Token::new(
        &RSA,
        json!({
            "iss": "kubernetes/serviceaccount",
            "kubernetes.io/serviceaccount/namespace": "my-namespace",
            "kubernetes.io/serviceaccount/service-account.name": "my-serviceaccount",
            "sub": "system:serviceaccount:my-namespace:my-serviceaccount",
        }),
    )
    .with("exp", json!(null));
    kubernetes.refuses(IssuerUnknown, &legacy);
}

fn spiffe() -> Bench {
    // The JWT-SVID standard, §6.1 "Publishing SPIFFE Bundle Elements": `use` says
    // what a key is for, and there is no `alg`.
    let mut bundle = jwks(&[&EC, &RSA]);
    for (index, usage) in ["jwt-svid", "x509-svid"].into_iter().enumerate() {
        bundle["keys"][index]["use"] = json!(usage);
        bundle["keys"][index]
            .as_object_mut()
            .unwrap()
            .shift_remove("alg");
    }
    bundle["spiffe_sequence"] = json!(1);
    bundle["spiffe_refresh_hint"] = json!(300);
    let values = [
        ("trust-domain", "prod.example"),
        ("audience", "spiffe://prod.example/ns/shop/sa/api"),
        ("bundle", "https://bundle.example.com/"),
    ];
    Bench::new("spiffe", &values).publishes("https://bundle.example.com/", bundle)
}

/// The JWT-SVID standard (github.com/spiffe/spiffe, standards/JWT-SVID.md), §3 "JWT
/// Claims": `sub`, `aud`, `exp`; no `iss`.
fn svid() -> Token {
    Token::new(
        &EC,
        json!({
            "sub": "spiffe://prod.example/ns/shop/sa/cart",
            "aud": ["spiffe://prod.example/ns/shop/sa/api"],
        }),
    )
}

#[test]
fn spiffe_jwt_svids_of_the_trust_domain_pass() {
    spiffe().admits(&svid());
    spiffe().admits(&svid().typ("JOSE"));
}

#[test]
fn spiffe_refuses_other_domains_services_issuers_and_keys() {
    let mut spiffe = spiffe();
    spiffe.refuses(
        ClaimMismatch,
        &svid().with("sub", json!("spiffe://dev.example/ns/shop/sa/cart")),
    );
    // A trust domain whose name only begins so.
    spiffe.refuses(
        ClaimMismatch,
        &svid().with(
            "sub",
            json!("spiffe://prod.example.evil.com/ns/shop/sa/cart"),
        ),
    );
    spiffe.refuses(ClaimMissing, &svid().with("sub", json!(null)));
    spiffe.refuses(
        AudienceMismatch,
        &svid().with("aud", json!(["spiffe://prod.example/ns/shop/sa/stock"])),
    );
    spiffe.refuses(
        IssuerUnknown,
        &svid().with("iss", json!("https://oidc.prod.example")),
    );
    // A key for certificates signs no tokens, whatever the algorithm.
    let mut certificates = EC.forged().expect("a key");
    certificates.kid.clone_from(&RSA.kid);
    spiffe.refuses(KeyUnknown, &svid().signed_by(&certificates));
}
