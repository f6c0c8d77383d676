//! Microsoft Entra ID.

use countersign::Code::{
    AudienceMismatch, ClaimDenied, ClaimMismatch, ClaimMissing, IssuerUnknown, KeyUnsuitable,
    TypeMismatch,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, forwarded},
    token::{OTHER_RSA, RSA, Token, jwks},
};

const TENANT: &str = "11111111-aaaa-4aaa-8aaa-000000000001";
const OTHER_TENANT: &str = "22222222-bbbb-4bbb-8bbb-000000000002";
/// Where personal accounts are: "Access token claims reference", `iss`.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const API: &str = "33333333-cccc-4ccc-8ccc-00000000c11e";

fn iss(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

/// Keys as Microsoft publishes them: without `alg`, and with `issuer`, in which
/// `{tenantid}` stands for every tenant.
fn keys() -> Value {
    let mut keys = jwks(&[&RSA, &OTHER_RSA]);
    for (index, issuer) in [iss("{tenantid}"), iss(PERSONAL)].into_iter().enumerate() {
        keys["keys"][index]["issuer"] = json!(issuer);
        keys["keys"][index]
            .as_object_mut()
            .unwrap()
            .shift_remove("alg");
    }
    keys
}

/// Microsoft identity platform, "Access token claims reference", "Payload
/// claims", version 2.0, for a user.
fn v2_user(tenant: &str) -> Token {
    Token::new(
        &RSA,
        json!({
            "aud": API,
            "iss": iss(tenant),
            "nbf": 1_795_867_140,
            "azp": "44444444-dddd-4ddd-8ddd-000000000004",
            "azpacr": "0",
            "name": "Ada",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "ada@example.com",
            "rh": "0.AXoA",
            "scp": "Tasks.Read Tasks.Write",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": tenant,
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
        }),
    )
}

/// The same page, `roles`: an app that acts for itself.
fn v2_app(tenant: &str) -> Token {
    let app = v2_user(tenant)
        .with("scp", json!(null))
        .with("name", json!(null));
    app.with("roles", json!(["Tasks.Read.All"]))
        .with("azpacr", json!("1"))
}

/// Microsoft identity platform, "ID token claims reference": the client itself is
/// the `aud`, and there is neither `azp` nor `scp`.
fn v2_id(tenant: &str) -> Token {
    let id = v2_user(tenant)
        .with("azp", json!(null))
        .with("azpacr", json!(null));
    id.with("scp", json!(null))
        .with("nonce", json!("12345"))
        .with("roles", json!(["Task.Admin"]))
}

/// The same page, version 1.0.
fn v1_user(tenant: &str) -> Token {
    let v1 = v2_user(tenant)
        .with("azp", json!(null))
        .with("azpacr", json!(null));
    v1.with("iss", json!(format!("https://sts.windows.net/{tenant}/")))
        .with("aud", json!(format!("api://{API}")))
        .with("appid", json!("44444444-dddd-4ddd-8ddd-000000000004"))
        .with("appidacr", json!("0"))
        .with("ver", json!("1.0"))
}

fn entra() -> Bench {
    Bench::new("entra", &[("tenant-id", TENANT), ("client-id", API)]).publishes(
        &format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
        jwks(&[&RSA]),
    )
}

#[test]
fn entra_access_tokens_of_users_and_apps_pass() {
    let grant = entra().admits(&v2_user(TENANT));
    assert_eq!(
        forwarded(&grant, "x-auth-scopes").as_deref(),
        Some("Tasks.Read Tasks.Write")
    );
    entra().admits(&v2_app(TENANT));
}

#[test]
fn entra_refuses_id_tokens_other_tenants_other_apis_and_the_other_version() {
    let mut entra = entra();
    entra.refuses(ClaimMissing, &v2_id(TENANT));
    entra.refuses(IssuerUnknown, &v2_user(OTHER_TENANT));
    entra.refuses(IssuerUnknown, &v1_user(TENANT));
    let graph = v2_user(TENANT).with("aud", json!("00000003-0000-0000-c000-000000000000"));
    entra.refuses(AudienceMismatch, &graph);
    entra.refuses(TypeMismatch, &v2_user(TENANT).with("ver", json!("1.0")));
}

/// Every app of a tenant can have a token for an API, but without `roles` it was
/// given nothing.
#[test]
fn entra_refuses_apps_that_were_given_nothing() {
    entra().refuses(ClaimDenied, &v2_app(TENANT).with("roles", json!(null)));
}

fn any_tenant() -> Bench {
    Bench::new("entra-any-tenant", &[("client-id", API)]).publishes(
        "https://login.microsoftonline.com/common/discovery/v2.0/keys",
        keys(),
    )
}

#[test]
fn entra_tokens_of_any_tenant_pass_with_their_tenant() {
    let mut entra = any_tenant();
    for tenant in [TENANT, OTHER_TENANT] {
        let grant = entra.admits(&v2_user(tenant));
        assert_eq!(forwarded(&grant, "x-auth-tenant").as_deref(), Some(tenant));
    }
}

#[test]
fn entra_of_any_tenant_refuses_a_tenant_that_is_not_the_issuers() {
    let mut entra = any_tenant();
    entra.refuses(
        ClaimMismatch,
        &v2_user(TENANT).with("tid", json!(OTHER_TENANT)),
    );
    entra.refuses(ClaimMissing, &v2_user(TENANT).with("tid", json!(null)));
    entra.refuses(ClaimMissing, &v2_id(TENANT));
    let other_host = format!("https://login.example.com/{TENANT}/v2.0");
    entra.refuses(
        IssuerUnknown,
        &v2_user(TENANT).with("iss", json!(other_host)),
    );
    entra.refuses(
        AudienceMismatch,
        &v2_user(TENANT).with("aud", json!("00000003-0000-0000-c000-000000000000")),
    );
}

#[test]
fn entra_of_any_tenant_refuses_personal_accounts_and_their_keys() {
    let mut entra = any_tenant();
    entra.refuses(ClaimMismatch, &v2_user(PERSONAL).signed_by(&OTHER_RSA));
    entra.refuses(KeyUnsuitable, &v2_user(TENANT).signed_by(&OTHER_RSA));
}

fn both_versions() -> Bench {
    Bench::new("entra-v1-v2", &[("tenant-id", TENANT), ("client-id", API)])
        .publishes(
            &format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
            jwks(&[&RSA]),
        )
        .publishes(
            &format!("https://login.microsoftonline.com/{TENANT}/discovery/keys"),
            jwks(&[&RSA]),
        )
}

#[test]
fn entra_tokens_of_both_versions_pass() {
    let mut entra = both_versions();
    entra.admits(&v2_user(TENANT));
    entra.admits(&v2_app(TENANT));
    entra.admits(&v1_user(TENANT));
    // "Access token claims reference", `aud`: in version 1.0 it can be either.
    entra.admits(&v1_user(TENANT).with("aud", json!(API)));
}

#[test]
fn entra_of_both_versions_refuses_id_tokens_of_both() {
    let mut entra = both_versions();
    entra.refuses(ClaimMissing, &v2_id(TENANT));
    let v1_id = v1_user(TENANT)
        .with("aud", json!(API))
        .with("appid", json!(null))
        .with("scp", json!(null));
    entra.refuses(ClaimMissing, &v1_id);
    entra.refuses(IssuerUnknown, &v1_user(OTHER_TENANT));
    let without_slash =
        v1_user(TENANT).with("iss", json!(format!("https://sts.windows.net/{TENANT}")));
    entra.refuses(IssuerUnknown, &without_slash);
    entra.refuses(
        AudienceMismatch,
        &v2_user(TENANT).with("aud", json!(format!("api://{API}"))),
    );
}
