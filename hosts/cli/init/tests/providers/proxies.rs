//! Proxies that add a signed header: Cloudflare Access and Google IAP.

use countersign::Code::{AudienceMismatch, ClaimMismatch, IssuerUnknown, TokenMissing};
use serde_json::json;

use crate::{
    bench::{Bench, forwarded},
    token::{EC, RSA, Token, jwks},
};

const AUD: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";

fn cloudflare() -> Bench {
    Bench::new(
        "cloudflare-access",
        &[
            ("domain", "yourteam.cloudflareaccess.com"),
            ("audience", AUD),
        ],
    )
    .publishes(
        "https://yourteam.cloudflareaccess.com/cdn-cgi/access/certs",
        {
            // Cloudflare Docs, "Validate JWTs", "Access signing keys": more than a JWK Set.
            let mut certs = jwks(&[&RSA]);
            certs["public_cert"] = json!({ "kid": "x", "cert": "-----BEGIN CERTIFICATE-----" });
            certs["public_certs"] = json!([]);
            certs
        },
    )
    .in_header("cf-access-jwt-assertion")
}

/// Cloudflare Docs, "Application token", "Identity-based authentication".
fn person() -> Token {
    Token::new(
        &RSA,
        json!({
            "aud": [AUD],
            "email": "user@example.com",
            "nbf": 1_795_867_140,
            "iss": "https://yourteam.cloudflareaccess.com",
            "type": "app",
            "identity_nonce": "6ei69kawdKzMIAPF",
            "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
            "country": "US",
        }),
    )
}

/// The same page, "Service token authentication".
fn service() -> Token {
    Token::new(
        &RSA,
        json!({
            "type": "app",
            "aud": [AUD],
            "iss": "https://yourteam.cloudflareaccess.com",
            "common_name": "e367826f93b8d71185e03fe518aff3b4.access",
            "sub": "",
        }),
    )
}

#[test]
fn cloudflare_people_and_service_tokens_pass_each_with_its_name() {
    let mut cloudflare = cloudflare();
    let grant = cloudflare.admits(&person());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("7335d417-61da-459d-899c-0a01c76a2f94")
    );
    let grant = cloudflare.admits(&service());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("e367826f93b8d71185e03fe518aff3b4.access")
    );
    cloudflare.admits(&service().with("type", json!(null)));
}

#[test]
fn cloudflare_refuses_other_applications_teams_and_the_global_session() {
    let mut bench = cloudflare();
    bench.refuses(
        AudienceMismatch,
        &person().with("aud", json!(["97e2aae120121f902df8bc99fc345913"])),
    );
    bench.refuses(
        IssuerUnknown,
        &person().with("iss", json!("https://other.cloudflareaccess.com")),
    );
    // "Application token", `type`: `org` for the global session token.
    bench.refuses(ClaimMismatch, &person().with("type", json!("org")));
    // As a bearer token it is not looked at.
    let mut bearer = cloudflare().in_header("authorization");
    bearer.refuses(TokenMissing, &person());
}

const BACKEND: &str = "/projects/1234567890/global/backendServices/9876543210";

fn iap() -> Bench {
    Bench::new("google-iap", &[("audience", BACKEND)])
        .publishes(
            "https://www.gstatic.com/iap/verify/public_key-jwk",
            jwks(&[&EC]),
        )
        .in_header("x-goog-iap-jwt-assertion")
}

/// Google Cloud, "Securing your app with signed headers", "Verifying the JWT
/// payload".
fn signed_header() -> Token {
    Token::new(
        &EC,
        json!({
            "aud": BACKEND,
            "azp": BACKEND,
            "email": "ada@example.com",
            "hd": "example.com",
            "iss": "https://cloud.google.com/iap",
            "sub": "accounts.google.com:118133858486581853996",
        }),
    )
}

#[test]
fn google_iap_headers_for_the_application_pass() {
    let grant = iap().admits(&signed_header());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("accounts.google.com:118133858486581853996")
    );
}

#[test]
fn google_iap_refuses_other_applications_and_googles_id_tokens() {
    let mut bench = iap();
    let other = "/projects/1234567890/global/backendServices/1";
    bench.refuses(AudienceMismatch, &signed_header().with("aud", json!(other)));
    // What a client sends to the proxy is an ID token of Google.
    bench.refuses(
        IssuerUnknown,
        &signed_header().with("iss", json!("https://accounts.google.com")),
    );
    let mut bearer = iap().in_header("authorization");
    bearer.refuses(TokenMissing, &signed_header());
}
