//! Google's own tokens, and Firebase.

use countersign::Code::{
    AudienceMismatch, ClaimMismatch, ClaimMissing, IssuerUnknown, TokenMalformed,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, forwarded},
    token::{OTHER_RSA, RSA, Token, jwks, pems},
};

const CLIENT: &str = "1234987819200.apps.googleusercontent.com";

fn google(hosted: Option<&str>) -> Bench {
    let mut values = vec![("client-id", CLIENT)];
    values.extend(hosted.map(|domain| ("hosted-domain", domain)));
    Bench::new("google", &values)
        .publishes("https://www.googleapis.com/oauth2/v3/certs", jwks(&[&RSA]))
}

/// Google Identity, "OpenID Connect", "An ID token's payload".
fn id() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://accounts.google.com",
            "azp": CLIENT,
            "aud": CLIENT,
            "sub": "10769150350006150715113082367",
            "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
            "hd": "example.com",
            "email": "jsmith@example.com",
            "email_verified": true,
            "nonce": "0394852-3190485-2490358",
        }),
    )
}

#[test]
fn google_id_tokens_of_the_app_pass() {
    let grant = google(None).admits(&id());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("10769150350006150715113082367")
    );
    // The same page: `iss` has two forms, `azp` is only sometimes there, and `hd`
    // only for people of a Google Workspace.
    google(None).admits(&id().with("iss", json!("accounts.google.com")));
    google(None).admits(&id().with("azp", json!(null)).with("hd", json!(null)));
    google(Some("example.com")).admits(&id());
}

#[test]
fn google_refuses_other_apps_access_tokens_and_other_workspaces() {
    let mut google = google(Some("example.com"));
    let other = json!("other.apps.googleusercontent.com");
    google.refuses(
        AudienceMismatch,
        &id().with("aud", other.clone()).with("azp", other),
    );
    google.refuses(ClaimMismatch, &id().with("hd", json!("other.example")));
    google.refuses(ClaimMissing, &id().with("hd", json!(null)));
    let short = id().with("iss", json!("accounts.google.com"));
    google.refuses(ClaimMismatch, &short.with("hd", json!("other.example")));
    // An access token is opaque.
    google.refuses_text("/", TokenMalformed, "ya29.a0AfH6SMBx");
}

/// Google Cloud, "Service Account Credentials API", "generateIdToken": its caller
/// chooses the audience. "Token types", "Service account ID tokens": `azp` is the
/// service account.
#[test]
fn google_refuses_service_accounts_that_chose_the_apps_audience() {
    let mut google = google(None);
    let service = Token::new(
        &RSA,
        json!({
            "iss": "https://accounts.google.com",
            "azp": "113774264463038321964",
            "aud": CLIENT,
            "sub": "113774264463038321964",
            "email": "robot@evil.iam.gserviceaccount.com",
            "email_verified": true,
        }),
    );
    google.refuses(ClaimMismatch, &service);
    google.refuses(
        ClaimMismatch,
        &service.with("iss", json!("accounts.google.com")),
    );
}

fn firebase() -> Bench {
    Bench::new("firebase", &[("project", "demo-project")]).publishes(
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        jwks(&[&RSA]),
    )
}

/// Firebase, "Verify ID Tokens", "Verify ID tokens using a third-party JWT
/// library", and the Node.js reference, "DecodedIdToken".
fn firebase_id() -> Token {
    Token::new(
        &RSA,
        json!({
            "iss": "https://securetoken.google.com/demo-project",
            "aud": "demo-project",
            "auth_time": 1_795_867_000,
            "user_id": "KbZ1Zk2mXzT9",
            "sub": "KbZ1Zk2mXzT9",
            "email": "ada@example.com",
            "email_verified": true,
            "firebase": { "identities": { "email": ["ada@example.com"] }, "sign_in_provider": "password" },
        }),
    )
}

fn signed_in_by(provider: &str) -> Value {
    json!({ "identities": {}, "sign_in_provider": provider })
}

#[test]
fn firebase_id_tokens_pass() {
    let grant = firebase().admits(&firebase_id());
    assert_eq!(
        forwarded(&grant, "x-auth-subject").as_deref(),
        Some("KbZ1Zk2mXzT9")
    );
    firebase().admits(&firebase_id().with("firebase", signed_in_by("custom")));
}

#[test]
fn firebase_refuses_custom_tokens_session_cookies_other_projects_and_visitors() {
    let mut firebase = firebase();
    // "Create Custom Tokens", "Create custom tokens using a third-party JWT library":
    // the service account signs it, for the Identity Toolkit.
    let service = "firebase-adminsdk@demo-project.iam.gserviceaccount.com";
    let custom = Token::new(
        &RSA,
        json!({
            "iss": service,
            "sub": service,
            "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
            "uid": "KbZ1Zk2mXzT9",
        }),
    );
    firebase.refuses(IssuerUnknown, &custom);
    firebase.refuses(IssuerUnknown, &firebase_session());
    let other = firebase_id().with("iss", json!("https://securetoken.google.com/other"));
    firebase.refuses(IssuerUnknown, &other.with("aud", json!("other")));
    firebase.refuses(AudienceMismatch, &firebase_id().with("aud", json!("other")));
    firebase.refuses(
        ClaimMismatch,
        &firebase_id().with("firebase", signed_in_by("anonymous")),
    );
    firebase.refuses_text("/", TokenMalformed, "AMf-vBzRefreshToken");
}

fn sessions() -> Bench {
    Bench::new("firebase-session", &[("project", "demo-project")])
        .publishes(
            "https://www.googleapis.com/identitytoolkit/v3/relyingparty/publicKeys",
            pems(&[&RSA, &OTHER_RSA]),
        )
        .in_cookie("__session")
}

/// Firebase, "Manage Session Cookies", "Verify session cookies using a third-party
/// JWT library": the claims of the ID token, and another issuer.
fn firebase_session() -> Token {
    firebase_id().with(
        "iss",
        json!("https://session.firebase.google.com/demo-project"),
    )
}

#[test]
fn firebase_session_cookies_pass_with_keys_in_pem() {
    let mut sessions = sessions();
    sessions.admits(&firebase_session());
    sessions.admits(&firebase_session().signed_by(&OTHER_RSA));
}

#[test]
fn firebase_sessions_refuse_id_tokens_other_projects_and_visitors() {
    let mut sessions = sessions();
    sessions.refuses(IssuerUnknown, &firebase_id());
    let other = firebase_session().with("iss", json!("https://session.firebase.google.com/other"));
    sessions.refuses(IssuerUnknown, &other);
    sessions.refuses(
        AudienceMismatch,
        &firebase_session().with("aud", json!("other")),
    );
    sessions.refuses(
        ClaimMismatch,
        &firebase_session().with("firebase", signed_in_by("anonymous")),
    );
}
