//! What is revoked: the document, gates that read it, and clients that give tokens back.

use countersign_bridge::{Clock, Revoke, gate_policy};
use countersign_host::{Decision, Gate};
use http::Request;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::common::{Database, SECRET, START_MS, Stage, databases};

const DOCUMENT: &str = "/revocations.json";

async fn gate(stage: &Stage) -> Gate {
    let clock = stage.clock.clone();
    let builder = Gate::builder()
        .policy_yaml(&gate_policy(&stage.config))
        .unwrap();
    let clock = move || clock.now_ms().try_into().unwrap();
    builder.clock(clock).build().await.unwrap()
}

async fn code(gate: &Gate, token: &str) -> String {
    let request = Request::get("/api/x")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap();
    match gate.check(&request).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denial) => denial.code,
        Decision::Answer(_) => "answer".to_owned(),
    }
}

/// The document is fetched beside the checks.
async fn becomes(gate: &Gate, token: &str, expected: &str) {
    for _ in 0..200 {
        if code(gate, token).await == expected {
            return;
        }
        sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(code(gate, token).await, expected);
}

fn claims(token: &str) -> Value {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap()
}

fn jti(token: &str) -> String {
    claims(token)["jti"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_refuses_a_revoked_token_and_no_other() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let gate = gate(&stage).await;
        let (token, other) = (stage.token().await, stage.token().await);
        assert_eq!(code(&gate, &token).await, "allow");
        stage
            .bridge
            .revoke(&Revoke::Token(jti(&token)))
            .await
            .unwrap();
        stage.clock.forward_s(40);
        becomes(&gate, &token, "token_revoked").await;
        assert_eq!(code(&gate, &other).await, "allow");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tokens_of_a_subject_until_now_are_refused_and_later_ones_are_not() {
    let stage = Stage::open().await;
    let token = stage.token().await;
    // A node that is not known, a person and a client are a subject alike.
    stage
        .bridge
        .revoke(&Revoke::Node("orders".to_owned()))
        .await
        .unwrap();
    let body = stage.get(DOCUMENT).await.json();
    let before = START_MS / 1000 + 1;
    let expected =
        json!({ "jti": [], "sub": [{ "sub": "orders", "issued_before": before }], "kid": [] });
    assert_eq!(body, expected);
    let gate = gate(&stage).await;
    assert_eq!(code(&gate, &token).await, "token_revoked");
    stage.clock.forward_s(1);
    let later = stage.token().await;
    assert_eq!(code(&gate, &later).await, "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_nothing_more_and_is_not_published() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let gate = gate(&stage).await;
        let token = stage.token().await;
        assert_eq!(code(&gate, &token).await, "allow");
        let kids = |jwks: &Value| -> Vec<String> {
            let keys = jwks["keys"].as_array().unwrap().iter();
            keys.map(|key| key["kid"].as_str().unwrap().to_owned())
                .collect()
        };
        let old = kids(&stage.get("/.well-known/jwks.json").await.json());
        stage
            .bridge
            .revoke(&Revoke::Key(old[0].clone()))
            .await
            .unwrap();
        let new = kids(&stage.get("/.well-known/jwks.json").await.json());
        assert!(new.len() == 1 && new != old, "{old:?} {new:?}");
        assert_eq!(stage.get(DOCUMENT).await.json()["kid"], json!(old));
        // It signs at once, and a gate asks for a key that it does not know.
        stage.clock.forward_s(40);
        let later = stage.token().await;
        becomes(&gate, &later, "allow").await;
        // The gate has a new key set by now, in which the old key is not.
        becomes(&gate, &token, "key_unknown").await;
        // It stays revoked for as long as a gate may have the key.
        stage.clock.forward_s(30 * 86_400);
        stage.bridge.sweep().await.unwrap();
        stage.bridge.tick().await.unwrap();
        assert_eq!(stage.get(DOCUMENT).await.json()["kid"], json!(old));
    }
}

#[tokio::test]
async fn entries_leave_when_all_that_they_revoke_is_expired() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let token = stage.token().await;
        stage
            .bridge
            .revoke(&Revoke::Token(jti(&token)))
            .await
            .unwrap();
        stage
            .bridge
            .revoke(&Revoke::Token("unknown".to_owned()))
            .await
            .unwrap();
        stage
            .bridge
            .revoke(&Revoke::Person("p_ann".to_owned()))
            .await
            .unwrap();
        let listed = async || {
            let body = stage.get(DOCUMENT).await.json();
            let count = |name: &str| body[name].as_array().unwrap().len();
            (count("jti"), count("sub"))
        };
        assert_eq!(listed().await, (2, 1));
        // The token, and the largest leeway of a gate.
        stage.clock.forward_s(1800 + 300);
        assert_eq!(listed().await, (2, 1));
        stage.clock.forward_s(61);
        assert_eq!(listed().await, (1, 1));
        stage.clock.forward_s(1800);
        assert_eq!(listed().await, (0, 0));
    }
}

#[tokio::test]
async fn the_document_is_not_sent_to_who_has_it() {
    let stage = Stage::open().await;
    let first = stage.get(DOCUMENT).await;
    assert_eq!(first.header("cache-control"), "public, max-age=5");
    assert_eq!(first.header("content-type"), "application/json");
    let ask = async |etag: &str| {
        let request = Request::get(format!("{}{DOCUMENT}", stage.url))
            .header("if-none-match", etag)
            .body(Full::<bytes::Bytes>::default())
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        client.request(request).await.unwrap().status().as_u16()
    };
    let etag = first.header("etag");
    assert_eq!(ask(etag).await, 304);
    assert_eq!(ask(&format!("\"other\", W/{etag}")).await, 304);
    assert_eq!(ask("\"other\"").await, 200);
    stage
        .bridge
        .revoke(&Revoke::Person("p_ann".to_owned()))
        .await
        .unwrap();
    assert_eq!(ask(etag).await, 200);
}

#[tokio::test]
async fn another_replica_publishes_it_within_a_second() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let replica = stage.replica().await;
        stage.get(DOCUMENT).await;
        replica
            .revoke(&Revoke::Person("p_ann".to_owned()))
            .await
            .unwrap();
        stage.clock.forward_s(1);
        let body = stage.get(DOCUMENT).await.json();
        assert_eq!(body["sub"][0]["sub"], "p_ann");
    }
}

#[tokio::test]
async fn the_file_is_the_document_and_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations.json");
    let stage = Stage::with(Database::Sqlite, |config| {
        config["revocations"] = json!({ "folder": folder.path() });
    })
    .await;
    let read = || std::fs::read_to_string(&path).unwrap();
    assert_eq!(read(), stage.get(DOCUMENT).await.body);
    stage
        .bridge
        .revoke(&Revoke::Person("p_ann".to_owned()))
        .await
        .unwrap();
    stage.bridge.tick().await.unwrap();
    assert!(read().contains("p_ann"));
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
    let missing = Stage::try_with(Database::Sqlite, |config| {
        config["revocations"] = json!({ "folder": folder.path().join("missing") });
    })
    .await;
    let error = missing.err().unwrap();
    assert_eq!(error.0[0].code, "file_unwritable");
}

#[tokio::test]
async fn what_has_no_place_is_not_revoked_and_that_is_said() {
    let stage = Stage::with(Database::Sqlite, |config| {
        // Half a million rows take their time on a busy machine.
        config["limits"] = json!({ "request_s": 60 });
    })
    .await;
    let path = stage.folder.path().join("bridge.db");
    let mut database = {
        sqlx::any::install_default_drivers();
        use sqlx::Connection;
        let url = format!("sqlite://{}", path.display());
        sqlx::AnyConnection::connect(&url).await.unwrap()
    };
    let fill = |from: i64, to: i64| {
        sqlx::AssertSqlSafe(format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to}) \
             INSERT INTO revocations (kind, value, reason, created_at, expires_at) \
             SELECT 'jti', 'j' || i, 'test', {START_MS}, {START_MS} + 3600000 FROM n"
        ))
    };
    sqlx::query(fill(1, 450_000))
        .execute(&mut database)
        .await
        .unwrap();
    let ready = async || {
        let request = Request::get("/readyz")
            .body(axum::body::Body::empty())
            .unwrap();
        use tower::ServiceExt;
        stage
            .bridge
            .operations()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(ready().await, 200);
    stage.clock.forward_s(2);
    // A single token has no place any more; a person and a key have.
    let token = Revoke::Token("one-more".to_owned());
    assert!(stage.bridge.revoke(&token).await.is_err());
    assert_eq!(ready().await, 503);
    stage
        .bridge
        .revoke(&Revoke::Person("p_ann".to_owned()))
        .await
        .unwrap();
    stage
        .bridge
        .revoke(&Revoke::Key("k".to_owned()))
        .await
        .unwrap();
    let body = stage.get(DOCUMENT).await.json();
    assert_eq!(body["jti"].as_array().unwrap().len(), 450_000);
    assert_eq!(body["sub"][0]["sub"], "p_ann");
    // More than a gate reads: there is no document rather than one without some of it.
    sqlx::query(fill(450_001, 500_000))
        .execute(&mut database)
        .await
        .unwrap();
    stage.clock.forward_s(2);
    let reply = stage.get(DOCUMENT).await;
    assert_eq!(reply.error(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(ready().await, 503);
    // Time makes place.
    stage.clock.forward_s(3600);
    assert_eq!(stage.get(DOCUMENT).await.status, 200);
    stage.bridge.revoke(&token).await.unwrap();
    assert_eq!(ready().await, 200);
}

#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_always_gets_200() {
    for database in databases() {
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("billing"), "another0another0another0").unwrap();
        let stage = Stage::with(database, |config| {
            config["clients"]["billing"] = json!({
                "secrets": [{ "file": other.path().join("billing") }],
                "grants": ["client_credentials"],
            });
        })
        .await;
        let token = stage.token().await;
        let revoke = async |client: &str, secret: &str, token: &str| {
            let form = [
                ("client_id", client),
                ("client_secret", secret),
                ("token", token),
            ];
            stage.post("/oauth/revoke", &[], &form).await.status
        };
        let listed = async || stage.get(DOCUMENT).await.json()["jti"].clone();
        assert_eq!(
            revoke("billing", "another0another0another0", &token).await,
            200
        );
        assert_eq!(listed().await, json!([]));
        let forged = format!("{}x", &token[..token.len() - 1]);
        for token in [&*forged, "nonsense", "a.b.c"] {
            assert_eq!(revoke("orders", SECRET, token).await, 200, "{token}");
        }
        assert_eq!(listed().await, json!([]));
        assert_eq!(revoke("orders", SECRET, &token).await, 200);
        assert_eq!(listed().await, json!([jti(&token)]));
        // Once more: it is the same.
        assert_eq!(revoke("orders", SECRET, &token).await, 200);
        assert_eq!(listed().await, json!([jti(&token)]));
        let form = [("client_id", "orders"), ("client_secret", SECRET)];
        let reply = stage.post("/oauth/revoke", &[], &form).await;
        assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
        let form = [
            ("client_id", "orders"),
            ("client_secret", "wrong"),
            ("token", &token),
        ];
        let reply = stage.post("/oauth/revoke", &[], &form).await;
        assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
    }
}
