//! Auth0, Cognito, Okta, Zitadel, and any other OpenID provider.

use countersign::Code::{
    AudienceMismatch, ClaimMismatch, ClaimMissing, IssuerUnknown, KeyUnknown, TokenMalformed,
    TypeMismatch,
};
use serde_json::json;

use crate::{
    bench::{Bench, forwarded},
    token::{OTHER_RSA, RSA, Token, jwks},
};

fn auth0() -> Bench {
    Bench::new(
        "auth0",
        &[
            ("domain", "my-domain.auth0.com"),
            ("audience", "https://example.com/health-api"),
        ],
    )
    .publishes(
        "https://my-domain.auth0.com/.well-known/jwks.json",
        jwks(&[&RSA]),
    )
}

/// Auth0 Docs, "Access Token Profiles", "Auth0 profile sample token".
fn auth0_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://my-domain.auth0.com/",
            "sub": "auth0|123456",
            "aud": ["https://example.com/health-api", "https://my-domain.auth0.com/userinfo"],
            "azp": "my_client_id",
            "scope": "openid profile read:patients read:admin",
        }),
    )
}

#[test]
fn auth0_access_tokens_of_both_profiles_pass() {
    let mut auth0 = auth0();
    let grant = auth0.admits(&auth0_access());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("auth0|123456")
    );

    // "Access Token Profiles", "RFC 9068 profile sample token"; `permissions` with RBAC.
    let rfc9068 = auth0_access()
        .with("azp", json!(null))
        .with("client_id", json!("my_client_id"))
        .with("jti", json!("73WakrfVbNJBaAmhQtEeDv"))
        .with("permissions", json!(["delete:patients"]))
        .typ("at+jwt");
    let grant = auth0.admits(&rfc9068);
    let scopes = forwarded(&grant, "x-auth-scopes").unwrap();
    assert!(
        scopes.contains("read:patients") && scopes.contains("delete:patients"),
        "{scopes}"
    );

    // "Access Token Profiles", the table of claims: a machine's `sub`.
    let machine = auth0_access()
        .with("sub", json!("awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients"))
        .with("gty", json!("client-credentials"));
    auth0.admits(&machine);
}

#[test]
fn auth0_refuses_what_is_not_for_the_api() {
    let mut auth0 = auth0();
    // Auth0 Docs, "ID Token Structure", "Sample ID Token": `aud` is the application.
    let id = auth0_access()
        .with("aud", json!("my_client_id"))
        .with("nonce", json!("n"));
    auth0.refuses(AudienceMismatch, &id);
    let other_api = auth0_access().with("aud", json!("https://example.com/other-api"));
    auth0.refuses(AudienceMismatch, &other_api);
    let other_tenant = auth0_access().with("iss", json!("https://other.auth0.com/"));
    auth0.refuses(IssuerUnknown, &other_tenant);
    // Without an audience the access token is opaque; a refresh token always is.
    auth0.refuses_text("/", TokenMalformed, "xyPCr7fAb7S9Pd-3a1ndOBZva3JpcoPK");
}

fn cognito() -> Bench {
    Bench::new(
        "cognito",
        &[
            ("user-pool", "us-east-1_EXAMPLE"),
            ("client-id", "57cbishk4j24pabc1234567890"),
        ],
    )
    .publishes(
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/jwks.json",
        jwks(&[&RSA]),
    )
}

/// Amazon Cognito Developer Guide, "Understanding the access token", "Access
/// token payload".
fn cognito_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:groups": ["testgroup"],
            "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE",
            "version": 2,
            "client_id": "57cbishk4j24pabc1234567890",
            "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "event_id": "64f513be-32db-42b0-b78e-b02127b4f463",
            "token_use": "access",
            "scope": "phone openid profile email",
            "auth_time": 1_795_867_000,
            "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "username": "my-test-user",
        }),
    )
}

#[test]
fn cognito_access_tokens_of_the_app_client_pass() {
    let grant = cognito().admits(&cognito_access());
    assert_eq!(
        forwarded(&grant, "x-auth-roles").as_deref(),
        Some("testgroup")
    );
    // Client credentials: the client is the subject, and has no groups.
    let machine = cognito_access()
        .with("sub", json!("57cbishk4j24pabc1234567890"))
        .with("cognito:groups", json!(null))
        .with("username", json!(null));
    cognito().admits(&machine);
}

#[test]
fn cognito_refuses_id_tokens_and_other_app_clients() {
    let mut cognito = cognito();
    // "Understanding the identity (ID) token", "ID token payload".
    let id = cognito_access()
        .with("client_id", json!(null))
        .with("scope", json!(null))
        .with("aud", json!("57cbishk4j24pabc1234567890"))
        .with("token_use", json!("id"));
    cognito.refuses(TypeMismatch, &id);
    cognito.refuses(
        ClaimMismatch,
        &cognito_access().with("client_id", json!("other")),
    );
    let other_pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_OTHER";
    cognito.refuses(
        IssuerUnknown,
        &cognito_access().with("iss", json!(other_pool)),
    );
    // A refresh token is encrypted: five parts.
    cognito.refuses_text("/", TokenMalformed, "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d");
}

fn okta() -> Bench {
    Bench::new("okta", &[("domain", "acme.okta.com")]).publishes(
        "https://acme.okta.com/oauth2/default/v1/keys",
        jwks(&[&RSA]),
    )
}

/// Okta Developer, "OpenID Connect & OAuth 2.0 API", "Access token"; the shape
/// is also in a posting of `groups.google.com/g/rabbitmq-users`, O3GdCKf8soM.
fn okta_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "ver": 1,
            "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
            "iss": "https://acme.okta.com/oauth2/default",
            "aud": "api://default",
            "sub": "ada@example.com",
            "cid": "nmdP1fcyvdVO11AL7ECm",
            "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "orders.read"],
            "auth_time": 1_795_867_000,
        }),
    )
}

#[test]
fn okta_access_tokens_pass_and_are_of_a_user_id() {
    let mut okta = okta();
    let grant = okta.admits(&okta_access());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("00ujmkLgagxeRrAg20g3")
    );
    assert_eq!(
        forwarded(&grant, "x-auth-scopes").as_deref(),
        Some("openid orders.read")
    );
    // Client credentials: no user, and the client as `sub`.
    let machine = okta_access()
        .with("uid", json!(null))
        .with("sub", json!("nmdP1fcyvdVO11AL7ECm"));
    let grant = okta.admits(&machine);
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("nmdP1fcyvdVO11AL7ECm")
    );
}

#[test]
fn okta_refuses_id_tokens_and_tokens_of_the_org_server() {
    let mut okta = okta();
    // Okta Developer, "Validate access tokens", "Access tokens vs ID tokens":
    // the client is the `aud` of an ID token.
    let id = okta_access()
        .with(
            "jti",
            json!("ID.radCQMOQUmyvcTBmmIL0J6BaS60apUEiC7-vI7pOmkw"),
        )
        .with("aud", json!("nmdP1fcyvdVO11AL7ECm"));
    okta.refuses(AudienceMismatch, &id);
    // The note there: the org authorization server's are for Okta alone.
    okta.refuses(
        IssuerUnknown,
        &okta_access().with("iss", json!("https://acme.okta.com")),
    );
    let other_server = "https://acme.okta.com/oauth2/aus1a2b3c4";
    okta.refuses(
        IssuerUnknown,
        &okta_access().with("iss", json!(other_server)),
    );
    okta.refuses(
        AudienceMismatch,
        &okta_access().with("aud", json!("api://other")),
    );
}

fn zitadel() -> Bench {
    Bench::new(
        "zitadel",
        &[
            ("domain", "acme.zitadel.cloud"),
            ("project-id", "69234237810729019"),
        ],
    )
    .publishes("https://acme.zitadel.cloud/oauth/v2/keys", jwks(&[&RSA]))
}

/// ZITADEL Docs, "Claims in ZITADEL", the matrix and "Reserved Claims". Roles are
/// an object, as in github.com/Flowfin/jellyfin-plugin-sso #934.
fn zitadel_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://acme.zitadel.cloud",
            "sub": "77776025198584418",
            "aud": ["69234237810729234", "69234237810729019"],
            "client_id": "69234237810729234",
            "jti": "69234237813329048",
            "nbf": 1_795_867_140,
            "urn:zitadel:iam:org:project:roles": { "owner": { "9001": "acme.example.com" } },
            "urn:zitadel:iam:org:project:69234237810729019:roles": {
                "admin": { "9001": "acme.example.com" },
                "viewer": { "9001": "acme.example.com", "9002": "partner.example.com" },
            },
        }),
    )
}

#[test]
fn zitadel_access_tokens_pass_with_the_roles_of_the_project() {
    let grant = zitadel().admits(&zitadel_access());
    let roles = forwarded(&grant, "x-auth-roles").unwrap();
    assert_eq!(roles, "admin viewer");
    let without = zitadel_access().with(
        "urn:zitadel:iam:org:project:69234237810729019:roles",
        json!(null),
    );
    assert_eq!(
        forwarded(&zitadel().admits(&without), "x-auth-roles")
            .as_deref()
            .unwrap_or(""),
        ""
    );
}

#[test]
fn zitadel_refuses_id_tokens_and_tokens_of_other_projects() {
    let mut zitadel = zitadel();
    // The matrix of "Claims in ZITADEL": an ID token has no `jti`.
    let id = zitadel_access()
        .with("jti", json!(null))
        .with("amr", json!(["pwd", "mfa"]))
        .with("auth_time", json!(1_795_867_000))
        .with("azp", json!("69234237810729234"));
    zitadel.refuses(ClaimMissing, &id);
    let other_project = zitadel_access().with("aud", json!(["69234237810729234", "1"]));
    zitadel.refuses(AudienceMismatch, &other_project);
    let other_instance = zitadel_access().with("iss", json!("https://other.zitadel.cloud"));
    zitadel.refuses(IssuerUnknown, &other_instance);
}

fn generic() -> Bench {
    Bench::new("generic", &[("issuer", "https://id.example.com/tenant"), ("audience", "https://api.example.com")])
        .publishes(
            "https://id.example.com/tenant/.well-known/openid-configuration",
            json!({ "issuer": "https://id.example.com/tenant", "jwks_uri": "https://id.example.com/keys" }),
        )
        .publishes("https://id.example.com/keys", jwks(&[&RSA]))
}

/// RFC 9068 §2.2.
fn generic_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://id.example.com/tenant",
            "sub": "5ba552d67",
            "aud": "https://api.example.com",
            "client_id": "s6BhdRkqt3",
            "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "scope": "openid orders:read",
        }),
    )
    .typ("at+jwt")
}

#[test]
fn generic_access_tokens_pass_and_keys_are_found_by_discovery() {
    let grant = generic().admits(&generic_access());
    assert_eq!(
        forwarded(&grant, "x-auth-scopes").as_deref(),
        Some("openid orders:read")
    );
    generic().admits(&generic_access().typ("JWT"));
}

#[test]
fn generic_refuses_id_tokens_other_issuers_and_other_keys() {
    let mut generic = generic();
    // OpenID Connect Core 1.0 §2: the client is the `aud` of an ID token.
    generic.refuses(
        AudienceMismatch,
        &generic_access().with("aud", json!("s6BhdRkqt3")).typ("JWT"),
    );
    generic.refuses(
        IssuerUnknown,
        &generic_access().with("iss", json!("https://id.example.com/tenant/")),
    );
    generic.refuses(KeyUnknown, &generic_access().signed_by(&OTHER_RSA));
}
