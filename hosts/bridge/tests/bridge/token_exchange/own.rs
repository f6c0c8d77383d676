//! The bridge's own tokens, exchanged by a service for another service.

use std::fs;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{LOGIN, NOW_S, Trust, claims, refused};
use crate::common::{Database, databases};

/// Ada's token for `platform`, by the app.
async fn pat(trust: &Trust, jti: &str) -> (String, Value) {
    trust.member((LOGIN, "ada"), Some(&["admin"])).await;
    let assertion = trust.assertion(&json!({ "jti": jti }));
    let reply = trust.ask_app(&trust.stage.url, &assertion, &[]).await;
    let claims = claims(&reply);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    (token, claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_asks_another_one_for_the_same_person() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let (token, before) = pat(&trust, "one").await;
        trust.stage.clock.forward_s(10);
        let after = claims(&trust.ask(&token, &[("scope", "orders:read")]).await);
        for same in ["sub", "tenant_id", "exp", "roles"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        assert_eq!(after["aud"], "billing");
        assert_eq!(after["client_id"], "orders");
        assert_eq!(after["scope"], "orders:read");
        let parents = trust
            .stage
            .sql("SELECT parent FROM issued WHERE parent <> ''")
            .await;
        assert_eq!(parents, [before["jti"].as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_audience_more_scope_longer_life() {
    let trust = Trust::open(Database::Sqlite).await;
    let assertion = trust.assertion(&json!({ "jti": "narrow" }));
    trust.member((LOGIN, "ada"), Some(&["admin"])).await;
    let narrow = [("scope", "orders:read")];
    let reply = trust.ask_app(&trust.stage.url, &assertion, &narrow).await;
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    // The role has it, the client has it, and the token has it not.
    let reply = trust.ask(&token, &[("scope", "orders:write")]).await;
    refused(&reply, "invalid_scope");
    let reply = trust.ask(&token, &[("audience", "reports")]).await;
    refused(&reply, "invalid_target");
    let reply = trust.ask(&token, &[("tenant", "globex")]).await;
    refused(&reply, "invalid_request");
    let reply = trust.ask(&token, &[]).await;
    assert_eq!(claims(&reply)["scope"], "orders:read");
    assert_eq!(claims(&reply)["exp"], NOW_S + 900);
    // A token for `billing` is none that may be exchanged.
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    refused(&trust.ask(&token, &[]).await, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_a_revoked_subject_and_a_lost_membership() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let (token, _) = pat(&trust, "one").await;
        assert_eq!(trust.ask(&token, &[]).await.status, 200);
        let sql = "INSERT INTO revocations (kind, value, reason, created_at, expires_at) \
                   SELECT 'jti', jti, 'x', 1796083200000, 1796093200000 FROM issued \
                   WHERE client = 'next'";
        trust.stage.sql(sql).await;
        refused(&trust.ask(&token, &[]).await, "invalid_request");

        let (token, _) = pat(&trust, "two").await;
        // Roles that were taken away are not in the new token.
        trust.member((LOGIN, "ada"), Some(&["clerk"])).await;
        let after = claims(&trust.ask(&token, &[]).await);
        assert_eq!(
            (&after["roles"], &after["scope"]),
            (&json!([]), &json!("orders:read"))
        );
        trust.member((LOGIN, "ada"), None).await;
        refused(&trust.ask(&token, &[]).await, "invalid_request");

        let (token, _) = pat(&trust, "three").await;
        trust
            .stage
            .sql("UPDATE people SET disabled_at = 1796083200000")
            .await;
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exchanged_from_a_token_is_revoked_with_it() {
    for database in databases() {
        let trust = Trust::open(database).await;
        let (token, before) = pat(&trust, "one").await;
        let after = claims(&trust.ask(&token, &[]).await);
        let own = trust.client_assertion("next", &trust.next);
        let form = [
            ("token", token.as_str()),
            ("client_assertion_type", super::JWT_BEARER),
            ("client_assertion", &own),
        ];
        let reply = trust.stage.post("/oauth/revoke", &[], &form).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let document = trust.stage.get("/revocations.json").await.body;
        for claims in [&before, &after] {
            let jti = claims["jti"].as_str().unwrap();
            assert!(document.contains(jti), "{document}");
        }
        refused(&trust.ask(&token, &[]).await, "invalid_request");
    }
}

/// A token as the bridge signs it, by a key that the test has too.
fn made(key: &rcgen::KeyPair, kid: &Value, typ: &str, claims: &Value) -> String {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &key.serialize_der()).unwrap();
    let header = json!({ "alg": "ES256", "kid": kid, "typ": typ });
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test(flavor = "multi_thread")]
async fn class_change() {
    let key = rcgen::KeyPair::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    fs::write(&path, key.serialize_pem()).unwrap();
    let trust = Trust::with(Database::Sqlite, |config| {
        config["keys"] = json!({ "files": [{ "file": path }] });
    })
    .await;
    let jwks = trust.stage.get("/.well-known/jwks.json").await.json();
    let kid = jwks["keys"][0]["kid"].clone();
    let sql = "INSERT INTO issued \
               (jti, class, subject, tenant, client, kid, issued_at, expires_at) VALUES \
               ('a', 'pat', 'orders', 'acme', 'orders', 'x', 1796083200000, 1796085000000), \
               ('b', 'nat', 'orders', 'acme', 'orders', 'x', 1796083200000, 1796085000000), \
               ('c', 'njt', 'orders', 'acme', 'orders', 'x', 1796083200000, 1796085000000)";
    trust.stage.sql(sql).await;
    let token = |typ: &str, jti: &str, sub: &str| {
        let claims = json!({
            "iss": trust.stage.url, "sub": sub, "aud": "platform", "iat": NOW_S,
            "exp": NOW_S + 300, "jti": jti, "client_id": "orders", "tenant_id": "acme",
            "scope": "orders:read", "roles": ["service"],
        });
        made(&key, &kid, typ, &claims)
    };
    // So it would be good.
    assert_eq!(
        trust
            .ask(&token("pat+jwt", "a", "orders"), &[])
            .await
            .status,
        200
    );
    for (typ, jti, sub) in [
        ("nat+jwt", "b", "orders"),
        ("njt+jwt", "c", "orders"),
        ("nat+jwt", "a", "orders"),
        ("JWT", "a", "orders"),
        // One that was recorded as another class, and one that was never issued.
        ("pat+jwt", "b", "orders"),
        ("pat+jwt", "c", "orders"),
        ("pat+jwt", "d", "orders"),
        // A node, and a client that is none any more.
        ("pat+jwt", "a", "n_1"),
        ("pat+jwt", "a", "gone"),
    ] {
        let reply = trust.ask(&token(typ, jti, sub), &[]).await;
        refused(&reply, "invalid_request");
    }
    // An API key, a node's renewal, and other opaque tokens.
    for token in [
        "sk_live_0123456789abcdef0123456789abcdef",
        "nrt_0123",
        "x.y.z",
        "a b",
    ] {
        refused(&trust.ask(token, &[]).await, "invalid_request");
    }
}
