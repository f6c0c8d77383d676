//! Tokens and requests that are not what they should be.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_dev_issuer::Signer;
use serde_json::json;

use super::{GRANT, Trust, idp_claims, refused, signed, subject};
use crate::common::{Database, SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn alg_confusion() {
    let trust = Trust::open(Database::Sqlite).await;
    let public = [
        trust.idp.to_public_pem().unwrap(),
        trust.idp.to_public_jwk().unwrap().to_string(),
    ];
    for secret in public {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let kid = trust.idp.kid.as_deref();
        let forger = Signer::from_secret(kid, "HS256", &secret).unwrap();
        let token = signed(&forger, "at+jwt", &idp_claims(), &json!({}));
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
    let good = trust.token(&json!({}));
    let parts: Vec<_> = good.split('.').collect();
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    for token in [
        format!("{header}.{}.", parts[1]),
        format!("{header}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
    ] {
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
    let forged = trust.idp.forged().unwrap();
    let token = signed(&forged, "at+jwt", &idp_claims(), &json!({}));
    refused(&trust.ask(&token, &[]).await, "invalid_request");
    assert_eq!(trust.ask(&good, &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_issuer_and_another_kind_of_token() {
    let trust = Trust::open(Database::Sqlite).await;
    let unknown = trust.token(&json!({ "iss": "https://evil.example.com" }));
    refused(&trust.ask(&unknown, &[]).await, "invalid_request");
    // An ID token, and a node's token of another bridge, of an issuer that is trusted.
    for typ in ["JWT", "id+jwt", "nat+jwt", "njt+jwt", "logout+jwt"] {
        let token = signed(&trust.idp, typ, &idp_claims(), &json!({}));
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_not_complete() {
    let trust = Trust::open(Database::Sqlite).await;
    let token = trust.token(&json!({}));
    let known = [("client_id", "orders"), ("client_secret", SECRET)];
    let [grant, shown, kind] = subject(&token);
    let other = "urn:ietf:params:oauth:token-type:id_token";
    for form in [
        vec![grant, kind],
        vec![grant, shown],
        vec![grant, shown, ("subject_token_type", other)],
        vec![grant, shown, kind, ("requested_token_type", other)],
        vec![grant, shown, shown, kind],
        vec![grant, ("subject_token", "x"), kind],
    ] {
        let form = [&known[..], &form].concat();
        let reply = trust.stage.post("/oauth/token", &[], &form).await;
        refused(&reply, "invalid_request");
    }
    // Nobody who has no credentials, whatever the token is.
    let form = [&[("client_id", "orders")][..], &subject(&token)].concat();
    let reply = trust.stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
    let metadata = trust
        .stage
        .get("/.well-known/oauth-authorization-server")
        .await;
    let grants = metadata.json()["grant_types_supported"].clone();
    assert!(
        grants.as_array().unwrap().contains(&json!(GRANT)),
        "{grants}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_may_not_and_one_that_anybody_can_be() {
    let trust = Trust::with(Database::Sqlite, |config| {
        config["clients"]["web"] = json!({ "public": true, "grants": ["token_exchange"] });
        config["clients"]["batch"] = json!({
            "secrets": [{ "file": "orders" }], "grants": ["client_credentials"],
        });
    })
    .await;
    let token = trust.token(&json!({}));
    let reply = trust.ask_as("batch", &token, &[], &[]).await;
    refused(&reply, "unauthorized_client");
    let form = [&[("client_id", "web")][..], &subject(&token)].concat();
    let reply = trust.stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
}
