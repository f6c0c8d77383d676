//! Sessions of WorkOS, Clerk and Auth.js.

use countersign::Code::{
    AudienceMismatch, ClaimMismatch, ClaimMissing, IssuerUnknown, KeyUnknown, TokenMalformed,
    TypeMismatch,
};
use serde_json::json;

use crate::{
    bench::{Bench, forwarded},
    token::{OTHER_RSA, RSA, SECRET, Token, jwks, secret},
};

fn workos(issuer: Option<&str>) -> Bench {
    let mut values = vec![("client-id", "client_123")];
    values.extend(issuer.map(|issuer| ("issuer", issuer)));
    Bench::new("workos", &values)
        .publishes("https://api.workos.com/sso/jwks/client_123", jwks(&[&RSA]))
}

/// WorkOS Docs, "Session tokens", "Access token". Its `iss` is that of older
/// environments; newer ones have their own: workos/authkit-nextjs #476.
fn workos_access() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://api.workos.com/user_management/client_123",
            "sub": "user_01HBEQKA6K4QJAS93VPE39W1JT",
            "org_id": "org_01HRDMC6CM357W30QMHMQ96Q0S",
            "role": "member",
            "roles": ["member"],
            "permissions": ["posts:read", "posts:write"],
            "entitlements": ["audit-logs"],
            "sid": "session_01HQSXZGF8FHF7A9ZZFCW4387R",
            "jti": "01HQSXZXPPFPKMDD32RKTFY6PV",
        }),
    )
}

#[test]
fn workos_access_tokens_pass_with_permissions_as_scopes() {
    let grant = workos(None).admits(&workos_access());
    assert_eq!(
        forwarded(&grant, "x-auth-scopes").as_deref(),
        Some("posts:read posts:write")
    );
    // Without an organization there is no role either.
    let personal = ["org_id", "role", "roles", "permissions", "entitlements"]
        .into_iter()
        .fold(workos_access(), |token, name| token.with(name, json!(null)));
    workos(None).admits(&personal);
    let older = workos_access().with("iss", json!("https://api.workos.com"));
    workos(Some("https://api.workos.com")).admits(&older);
}

#[test]
fn workos_refuses_other_environments_and_tokens_without_a_session() {
    let mut workos = workos(None);
    let other = workos_access().with(
        "iss",
        json!("https://api.workos.com/user_management/client_456"),
    );
    workos.refuses(IssuerUnknown, &other);
    workos.refuses(KeyUnknown, &workos_access().signed_by(&OTHER_RSA));
    workos.refuses(ClaimMissing, &workos_access().with("sid", json!(null)));
    // "Refresh token" on the same page: opaque.
    workos.refuses_text("/", TokenMalformed, "yAjhKk23hJMM3DaR");
}

fn clerk() -> Bench {
    Bench::new(
        "clerk",
        &[
            ("domain", "clerk.your-site.com"),
            ("origin", "https://example.com"),
        ],
    )
    .publishes(
        "https://clerk.your-site.com/.well-known/jwks.json",
        jwks(&[&RSA]),
    )
}

/// Clerk Docs, "Session tokens", "Default claims", "Version 2".
fn clerk_session() -> Token {
    Token::new(
        &RSA,
        json!({
            "azp": "https://example.com",
            "fva": [7, -1],
            "iss": "https://clerk.your-site.com",
            "jti": "1234567890",
            "nbf": 1_795_867_130,
            "sid": "sess_123",
            "sub": "user_123",
            "v": 2,
            "pla": "u:free,o:pro",
            "fea": "o:dashboard,o:impersonation",
            "sts": "active",
            "o": { "id": "org_123", "slg": "org-slug", "rol": "admin", "per": "read,manage", "fpm": "3,2" },
        }),
    )
}

#[test]
fn clerk_session_tokens_pass_with_and_without_an_organization() {
    let grant = clerk().admits(&clerk_session());
    let principal = grant.principal.as_ref().unwrap();
    assert_eq!(principal.tenant.as_deref(), Some("org_123"));
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("user_123")
    );
    clerk().admits(&clerk_session().with("o", json!(null)));
}

#[test]
fn clerk_refuses_other_apps_pending_sessions_and_tokens_of_templates() {
    let mut clerk = clerk();
    clerk.refuses(
        ClaimMismatch,
        &clerk_session().with("azp", json!("https://evil.example")),
    );
    // "`azp` … could be omitted if … `Origin` is empty or null."
    clerk.refuses(ClaimMissing, &clerk_session().with("azp", json!(null)));
    clerk.refuses(
        ClaimMismatch,
        &clerk_session().with("sts", json!("pending")),
    );
    // "JWT templates": no session of its own, and no version.
    let template = clerk_session()
        .with("sid", json!(null))
        .with("v", json!(null))
        .with("aud", json!("hasura"));
    clerk.refuses(TypeMismatch, &template);
    // "Machine tokens": a machine is the subject.
    let machine = Token::new(
        &RSA,
        json!({ "iss": "https://clerk.your-site.com", "sub": "mch_cron", "jti": "mt_1" }),
    );
    clerk.refuses(TypeMismatch, &machine);
    let other = clerk_session().with("iss", json!("https://other.clerk.accounts.dev"));
    clerk.refuses(IssuerUnknown, &other);
}

fn auth_js() -> Bench {
    Bench::new(
        "auth-js",
        &[
            ("origin", "https://app.example.com"),
            ("audience", "api"),
            ("secret-file", SECRET),
        ],
    )
}

/// Auth.js, "@auth/core/jwt", "DefaultJWT", signed as the comment of the policy
/// says; "Override JWT encode and decode methods" is where it goes.
fn auth_js_session() -> Token {
    Token::new(
        &secret(None, "HS256"),
        json!({
            "name": "Ada",
            "email": "ada@example.com",
            "picture": null,
            "sub": "42",
            "jti": "0c7e9f5e-4e4b-4a36-8f3c-9d9f4f7b8a11",
            "iss": "https://app.example.com",
            "aud": "api",
        }),
    )
    .typ("session+jwt")
}

#[test]
fn auth_js_sessions_pass_in_the_cookie_and_as_a_bearer_token() {
    let grant = auth_js().admits(&auth_js_session());
    assert_eq!(forwarded(&grant, "x-auth-subject").as_deref(), Some("42"));
    auth_js()
        .in_cookie("__Secure-authjs.session-token")
        .admits(&auth_js_session());
}

#[test]
fn auth_js_refuses_encrypted_sessions_and_other_tokens_of_the_app() {
    let mut auth_js = auth_js();
    // "The JWT issued by Auth.js is encrypted by default": dir, A256CBC-HS512.
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..aXY.Y2lwaGVy.dGFn";
    auth_js.refuses_text("/", TokenMalformed, encrypted);
    // What else is signed with the same secret, such as the state of a sign-in.
    auth_js.refuses(TypeMismatch, &auth_js_session().typ("JWT"));
    auth_js.refuses(ClaimMissing, &auth_js_session().with("sub", json!(null)));
    auth_js.refuses(
        AudienceMismatch,
        &auth_js_session().with("aud", json!("other")),
    );
    auth_js.refuses(
        IssuerUnknown,
        &auth_js_session().with("iss", json!("https://other.example.com")),
    );
}
