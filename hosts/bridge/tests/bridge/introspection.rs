//! Services without a gate ask about tokens (RFC 7662).

use countersign_bridge::Revoke;
use serde_json::{Value, json};

use crate::common::{Reply, SECRET, START_MS, Stage, databases};

async fn ask(stage: &Stage, token: &str) -> Reply {
    let form = [
        ("client_id", "orders"),
        ("client_secret", SECRET),
        ("token", token),
    ];
    stage.post("/oauth/introspect", &[], &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_active_with_what_it_says_and_a_revoked_one_is_not() {
    for database in databases() {
        let stage = Stage::with(database, |_| {}).await;
        let token = stage.token().await;
        let reply = ask(&stage, &token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let body = reply.json();
        let (iat, exp) = (START_MS / 1000, START_MS / 1000 + 1800);
        for (name, value) in [
            ("active", json!(true)),
            ("sub", json!("orders")),
            ("client_id", json!("orders")),
            ("aud", json!("platform")),
            ("iss", json!(stage.url)),
            ("scope", json!("orders:read orders:write")),
            ("iat", json!(iat)),
            ("exp", json!(exp)),
        ] {
            assert_eq!(body[name], value, "{name}");
        }
        // At once, and not when a document is fetched again.
        let jti = body["jti"].as_str().unwrap().to_owned();
        stage.bridge.revoke(&Revoke::Token(jti)).await.unwrap();
        assert_eq!(ask(&stage, &token).await.json(), json!({ "active": false }));
        let other = stage.token().await;
        stage.clock.forward_s(1830);
        assert_eq!(ask(&stage, &other).await.json(), json!({ "active": false }));
        assert_eq!(
            ask(&stage, "nonsense").await.json(),
            json!({ "active": false })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_authenticates_and_sees_only_what_is_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s"), SECRET).unwrap();
    let secrets = json!([{ "file": folder.path().join("s") }]);
    let stage = Stage::with(crate::common::Database::Sqlite, |config| {
        config["tokens"]["audiences"] = json!(["platform", "elsewhere"]);
        config["clients"]["orders"]["audiences"] = json!(["platform"]);
        let client = |audience: &str, tenant: Value| {
            let mut client = json!({
                "secrets": secrets, "grants": ["client_credentials"], "audiences": [audience],
            });
            if !tenant.is_null() {
                client["tenant"] = tenant;
            }
            client
        };
        config["clients"]["same"] = client("platform", json!("acme"));
        config["clients"]["every"] = client("platform", Value::Null);
        config["clients"]["other"] = client("elsewhere", Value::Null);
        config["clients"]["rival"] = client("platform", json!("rival"));
        config["clients"]["phone"] = json!({ "public": true, "grants": ["device_code"] });
    })
    .await;
    let token = stage.token().await;
    for (client, active) in [
        ("same", true),
        ("every", true),
        ("other", false),
        ("rival", false),
    ] {
        let form = [
            ("client_id", client),
            ("client_secret", SECRET),
            ("token", &token),
        ];
        let reply = stage.post("/oauth/introspect", &[], &form).await;
        assert_eq!(reply.json()["active"], active, "{client}");
    }
    let form = [("client_id", "phone"), ("token", &token)];
    let reply = stage.post("/oauth/introspect", &[], &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
    let form = [("token", &*token)];
    let reply = stage.post("/oauth/introspect", &[], &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
}
