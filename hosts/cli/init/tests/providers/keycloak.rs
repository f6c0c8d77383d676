//! Keycloak.

use countersign::Code::{
    AlgorithmNotAllowed, AudienceMismatch, IssuerUnknown, RuleDenied, TenantDenied, TypeMismatch,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, forwarded},
    token::{RSA, Token, jwks, secret},
};

const VALUES: [(&str, &str); 3] = [
    ("domain", "id.example.com"),
    ("realm", "demo"),
    ("audience", "shop-api"),
];

fn bench(provider: &str) -> Bench {
    Bench::new(provider, &VALUES).publishes(
        "https://id.example.com/realms/demo/protocol/openid-connect/certs",
        jwks(&[&RSA]),
    )
}

/// Phase Two, "Get a Keycloak Token and Read Every Claim" and "Keycloak Audience:
/// Get the aud Claim Right".
fn access() -> Token {
    Token::new(
        &RSA,
        json!({
            "jti": "onrtro:5f0c6c2b-4c5f-4a6e-9b0a-1f6f2f1d9a11",
            "iss": "https://id.example.com/realms/demo",
            "aud": ["shop-api", "account"],
            "sub": "3b8f2f0c-9c5e-4d7e-8f5e-2b7a1c9d0e11",
            "typ": "Bearer",
            "azp": "demo-app",
            "sid": "a56b0c1d-2e3f-4a5b-8c6d-7e8f9a0b1c2d",
            "acr": "1",
            "allowed-origins": ["https://app.example.com"],
            "realm_access": { "roles": ["offline_access", "user"] },
            "resource_access": {
                "shop-api": { "roles": ["editor"] },
                "account": { "roles": ["manage-account"] },
            },
            "scope": "openid email profile",
            "email_verified": true,
            "preferred_username": "alice",
        }),
    )
}

#[test]
fn keycloak_access_tokens_pass_with_realm_roles_and_the_apis_client_roles() {
    let mut keycloak = bench("keycloak");
    let grant = keycloak.admits(&access());
    assert_eq!(
        forwarded(&grant, "x-auth-roles").as_deref(),
        Some("offline_access user editor")
    );
    // Without client roles, `aud` comes from an Audience mapper, and may be one text.
    let plain = access()
        .with("aud", json!("shop-api"))
        .with("resource_access", json!(null));
    keycloak.admits(&plain);
}

#[test]
fn keycloak_refuses_id_refresh_and_other_clients_tokens() {
    refuses_all_but_access_tokens(bench("keycloak"));
}

#[test]
fn keycloak_with_organizations_refuses_id_refresh_and_other_clients_tokens() {
    refuses_all_but_access_tokens(bench("keycloak-organizations"));
}

#[track_caller]
fn refuses_all_but_access_tokens(mut keycloak: Bench) {
    let path = "/orgs/acme/seats";
    // An ID token is for the client that asked for it.
    let id = access()
        .with("typ", json!("ID"))
        .with("aud", json!("demo-app"));
    keycloak.refuses_at(path, AudienceMismatch, &id);
    // Also for a client with the API's own name.
    keycloak.refuses_at(path, TypeMismatch, &access().with("typ", json!("ID")));
    // A refresh token is for the realm, and signed with a secret.
    let refresh = access()
        .with("typ", json!("Refresh"))
        .with("aud", json!("https://id.example.com/realms/demo"));
    let realm_secret = secret(Some("realm"), "HS512");
    keycloak.refuses_at(path, AlgorithmNotAllowed, &refresh.signed_by(&realm_secret));
    keycloak.refuses_at(path, TypeMismatch, &access().with("typ", json!("Offline")));
    keycloak.refuses_at(
        path,
        AudienceMismatch,
        &access().with("aud", json!("account")),
    );
    keycloak.refuses_at(path, AudienceMismatch, &access().with("aud", json!(null)));
    let other_realm = access().with("iss", json!("https://id.example.com/realms/master"));
    keycloak.refuses_at(path, IssuerUnknown, &other_realm);
}

#[test]
fn a_client_id_that_is_an_address_is_one_part_of_the_pointer() {
    let api = "https://api.example.com/~shop";
    let values = [VALUES[0], VALUES[1], ("audience", api)];
    let mut keycloak = Bench::new("keycloak", &values).publishes(
        "https://id.example.com/realms/demo/protocol/openid-connect/certs",
        jwks(&[&RSA]),
    );
    let access = access()
        .with("aud", json!(api))
        .with("resource_access", json!({ api: { "roles": ["editor"] } }));
    let grant = keycloak.admits(&access);
    assert_eq!(
        forwarded(&grant, "x-auth-roles").as_deref(),
        Some("offline_access user editor")
    );
}

/// Keycloak Server Administration Guide, "Mapping organization claims": an object
/// by alias, whose values are empty unless the mapper adds more; or a list of
/// aliases (keycloak/keycloak #27993).
#[test]
fn keycloak_organizations_let_members_in_in_each_shape() {
    let shapes: [Value; 3] = [
        json!({ "acme": { "id": "42c3e46f-2477-44d7-a85b-d3b43f6b31fa", "attr1": ["value1"] }, "partner": {} }),
        json!({ "acme": {} }),
        json!(["acme", "partner"]),
    ];
    let mut keycloak = bench("keycloak-organizations");
    for organization in shapes {
        let access = access().with("organization", organization);
        let grant = keycloak.admits_at("/orgs/acme/seats", &access);
        assert_eq!(forwarded(&grant, "x-auth-tenant").as_deref(), Some("acme"));
        keycloak.refuses_at("/orgs/globex/seats", TenantDenied, &access);
        keycloak.refuses_at("/elsewhere", RuleDenied, &access);
    }
    keycloak.refuses_at("/orgs/acme/seats", TenantDenied, &access());
}
