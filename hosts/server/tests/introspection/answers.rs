//! What is answered about a token.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;

use crate::stage::{API_KEY, BILLING_SECRET, ORDERS_SECRET, Stage};

#[tokio::test]
async fn a_good_token_is_active_with_what_its_issuer_says() {
    let stage = Stage::start().await;
    let token = stage.token(|token| {
        token.subject = Some("ada".into());
        token.scope = vec!["orders:read".into(), "orders:write".into()];
        token.claim = vec![
            ("jti".into(), json!("t-1")),
            ("client_id".into(), json!("web")),
            ("email".into(), json!("ada@example.com")),
        ];
    });
    let reply = stage.ask("orders", ORDERS_SECRET, &token).await;
    assert_eq!(reply.status, 200);
    let mut answer = reply.json();
    let members = answer.as_object_mut().expect("an object");
    let (exp, iat) = (members.remove("exp"), members.remove("iat"));
    assert!(exp.and_then(|exp| exp.as_i64()) > iat.and_then(|iat| iat.as_i64()));
    let expected = json!({
        "active": true, "iss": "https://auth.example.com", "sub": "ada", "aud": "orders",
        "jti": "t-1", "client_id": "web", "scope": "orders:read orders:write",
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_token_for_another_audience_is_not_active_for_this_caller() {
    let stage = Stage::start().await;
    let token = stage.token(|token| token.audience = vec!["billing".into()]);
    let active = stage.ask("billing", BILLING_SECRET, &token).await.json();
    assert_eq!(active["active"], true);
    let reply = stage.ask("orders", ORDERS_SECRET, &token).await;
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "active": false }))
    );
}

#[tokio::test]
async fn a_token_that_is_not_good_is_not_active_and_nothing_says_why() {
    let stage = Stage::start().await;
    let forged = {
        let good = stage.token(|_| {});
        let (rest, signature) = good.rsplit_once('.').expect("a signature");
        let other = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{rest}.{other}{}", &signature[1..])
    };
    let expired = stage.token(|token| token.age = Some(Duration::from_secs(86_400)));
    let early = stage.token(|token| token.claim = vec![("nbf".into(), json!(4_000_000_000_u64))]);
    let unknown_audience = stage.token(|token| token.audience = vec!["nobody".into()]);
    let large = "a".repeat(20_000);
    let tokens = [
        &*forged,
        &*expired,
        &*early,
        &*unknown_audience,
        &*large,
        "x",
        "",
        "%00%ff",
        "a.b.c",
    ];
    for token in tokens {
        let reply = stage.ask("orders", ORDERS_SECRET, token).await;
        assert_eq!(
            (reply.status, reply.json()),
            (200, json!({ "active": false })),
            "{token:.60}"
        );
    }
}

#[tokio::test]
async fn a_bound_token_is_answered_with_its_binding() {
    let stage = Stage::start().await;
    let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    for (member, kind) in [("jkt", Some("DPoP")), ("x5t#S256", None)] {
        let cnf = json!({ member: thumbprint });
        let token = stage.token(|token| token.claim = vec![("cnf".into(), cnf.clone())]);
        let answer = stage.ask("orders", ORDERS_SECRET, &token).await.json();
        assert_eq!(answer["active"], true);
        assert_eq!(answer["cnf"], cnf);
        assert_eq!(answer["token_type"].as_str(), kind);
    }
    // A binding that nobody here understands would be checked by nobody.
    let cnf = json!({ "kid": "1" });
    let token = stage.token(|token| token.claim = vec![("cnf".into(), cnf)]);
    assert_eq!(
        stage.ask("orders", ORDERS_SECRET, &token).await.json(),
        json!({ "active": false })
    );
}

#[tokio::test]
async fn an_api_key_is_answered_as_its_entry_says() {
    let stage = Stage::start().await;
    let answer = stage.ask("orders", ORDERS_SECRET, API_KEY).await.json();
    let expected = json!({ "active": true, "sub": "robot-1", "jti": "a1", "scope": "orders:read" });
    assert_eq!(answer, expected);
    let wrong = API_KEY.replace("_0123", "_0124");
    assert_eq!(
        stage.ask("orders", ORDERS_SECRET, &wrong).await.json(),
        json!({ "active": false })
    );
    // This caller sees tokens for its audience, which a key does not have.
    assert_eq!(
        stage.ask("billing", BILLING_SECRET, API_KEY).await.json(),
        json!({ "active": false })
    );
}

#[tokio::test]
async fn an_opaque_token_is_answered_as_its_server_says() {
    let stage = Stage::start().await;
    let answer = stage.ask("orders", ORDERS_SECRET, "opq_known").await.json();
    let expected = json!({
        "active": true, "sub": "ada", "username": "Ada", "aud": "orders", "exp": 4_000_000_000_u64,
        "scope": "orders:read", "client_id": "web", "token_type": "Bearer",
    });
    assert_eq!(answer, expected);
    let unknown = stage
        .ask("orders", ORDERS_SECRET, "opq_unknown")
        .await
        .json();
    assert_eq!(unknown, json!({ "active": false }));
}

#[tokio::test]
async fn what_cannot_be_decided_now_is_no_answer_about_the_token() {
    let stage = Stage::start().await;
    stage.upstream_is_up.store(false, Ordering::SeqCst);
    let reply = stage.ask("orders", ORDERS_SECRET, "opq_known").await;
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("\r\nretry-after: "), "{}", reply.head);
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    assert!(reply.json().get("active").is_none());
}
