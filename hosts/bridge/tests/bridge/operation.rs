//! Documents, probes, bounds and the end.

use http::Request;
use serde_json::json;
use tower::ServiceExt;

use crate::common::{Database, Stage, databases};

#[tokio::test]
async fn both_discovery_documents_name_the_key_set_and_the_token_endpoint() {
    let stage = Stage::open().await;
    for name in ["openid-configuration", "oauth-authorization-server"] {
        let reply = stage.get(&format!("/.well-known/{name}")).await;
        assert_eq!(reply.header("cache-control"), "public, max-age=3600");
        let body = reply.json();
        let url = &stage.url;
        assert_eq!(body["issuer"], json!(url));
        assert_eq!(
            body["jwks_uri"],
            json!(format!("{url}/.well-known/jwks.json"))
        );
        assert_eq!(body["token_endpoint"], json!(format!("{url}/oauth/token")));
        assert_eq!(
            body["revocation_endpoint"],
            json!(format!("{url}/oauth/revoke"))
        );
        assert_eq!(
            body["introspection_endpoint"],
            json!(format!("{url}/oauth/introspect"))
        );
    }
}

#[tokio::test]
async fn it_is_alive_and_ready_while_the_database_answers() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let ask = |path: &'static str| {
            let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
            let operations = stage.bridge.operations();
            async move { operations.oneshot(request).await.unwrap().status().as_u16() }
        };
        assert_eq!((ask("/livez").await, ask("/readyz").await), (200, 200));
        let bridge = stage.bridge.clone();
        drop(stage.end().await);
        let request = |path: &str| Request::get(path).body(axum::body::Body::empty()).unwrap();
        let alive = bridge
            .operations()
            .oneshot(request("/livez"))
            .await
            .unwrap();
        let ready = bridge
            .operations()
            .oneshot(request("/readyz"))
            .await
            .unwrap();
        assert_eq!(
            (alive.status().as_u16(), ready.status().as_u16()),
            (200, 503)
        );
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_form_is_refused() {
    let stage = Stage::open().await;
    let large = "x".repeat(70_000);
    let form = [("grant_type", "client_credentials"), ("x", &large)];
    let reply = stage.post("/oauth/token", &[], &form).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
    let reply = stage.get("/oauth/token").await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(
        reply
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(stage.get("/nowhere").await.status, 404);
}

#[tokio::test]
async fn what_is_expired_is_swept_and_nothing_else() {
    for database in databases() {
        let stage = Stage::with(database, |config| {
            config["audit"] = json!({ "keep_days": 1 });
        })
        .await;
        stage.token().await;
        assert_eq!(stage.bridge.sweep().await.unwrap(), 0);
        // The token is gone five minutes after its end, the audit after a day.
        stage.clock.forward_s(1800 + 301);
        assert_eq!(stage.bridge.sweep().await.unwrap(), 1, "{database:?}");
        stage.clock.forward_s(86_400);
        assert_eq!(stage.bridge.sweep().await.unwrap(), 1, "{database:?}");
    }
}

#[tokio::test]
async fn that_a_token_was_issued_is_kept_for_a_shorter_time() {
    let stage = Stage::with(Database::Sqlite, |config| {
        config["audit"] = json!({ "keep_tokens_days": 1 });
    })
    .await;
    stage.token().await;
    let person = countersign_bridge::Revoke::Person("p_ann".to_owned());
    stage.bridge.revoke(&person).await.unwrap();
    stage.clock.forward_s(2 * 86_400);
    stage.bridge.sweep().await.unwrap();
    let events = stage.sql("SELECT event FROM audit").await;
    assert_eq!(events, ["person.revoked"]);
}

#[tokio::test]
async fn what_is_issued_is_in_the_audit_and_the_token_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let stage = Stage::with(Database::Sqlite, |config| {
        config["audit"] = json!({ "file": path });
    })
    .await;
    let token = stage.token().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["event"], "token.issued");
    assert_eq!(
        (&line["client"], &line["tenant"]),
        (&json!("orders"), &json!("acme"))
    );
    for part in token.split('.') {
        assert!(!text.contains(part));
    }
}

#[tokio::test]
async fn what_is_issued_refused_and_revoked_is_counted() {
    let stage = Stage::open().await;
    stage.token().await;
    stage
        .post("/oauth/token", &[], &[("grant_type", "password")])
        .await;
    let person = countersign_bridge::Revoke::Person("p_ann".to_owned());
    stage.bridge.revoke(&person).await.unwrap();
    stage.clock.forward_s(60);
    stage.bridge.tick().await.unwrap();
    let request = Request::get("/metrics")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = stage.bridge.operations().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    for line in [
        "countersign_bridge_tokens_issued_total{class=\"pat\"} 1",
        "countersign_bridge_refusals_total{code=\"unsupported_grant_type\"} 1",
        "countersign_bridge_revocations_total{kind=\"person\",outcome=\"done\"} 1",
        "countersign_bridge_signing_key_age_seconds 60",
        "countersign_bridge_revoked_entries 1",
        "countersign_bridge_ready 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}
