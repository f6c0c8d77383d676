//! Probes, metrics, the decision log, and the administrator.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Folder, Stage, send, until};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_alive_at_once_and_ready_with_its_documents() {
    let folder = Folder::new();
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut policy = folder.policy(json!({}));
    let uri = format!("http://{}/jwks.json", issuer.local_addr().unwrap());
    let jwks = policy["issuers"][0]["keys"]["jwks"].take();
    policy["issuers"][0]["keys"] = json!({ "jwks_uri": uri, "insecure_http": true });
    folder.write("policy.json", &policy.to_string());
    let stage = Stage::start_in(folder, json!({})).await;
    assert_eq!(stage.operate("/livez").await.status, 200);
    assert_eq!(stage.operate("/readyz").await.status, 503);
    assert!(!stage.server.is_ready());

    tokio::spawn(async move {
        loop {
            let (mut stream, _) = issuer.accept().await.unwrap();
            let body = jwks.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let response = head + &body;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, response.as_bytes()).await;
        }
    });
    until("it is ready", || async {
        stage.operate("/readyz").await.status == 200
    })
    .await;
    let token = stage.folder.token();
    assert_eq!(stage.ask("/orders", Some(&token)).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_those_of_every_host_and_of_the_server() {
    let stage = Stage::start(json!({ "decision_log": { "file": "log" } })).await;
    let token = stage.folder.token();
    stage.ask("/orders", Some(&token)).await;
    stage.ask("/orders", None).await;
    stage.ask("bad target", None).await;
    stage.administer("POST /reload").await;
    let reply = stage.operate("/metrics").await;
    assert!(
        reply
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let lines = [
        r#"countersign_decisions_total{countersign_decision="allow",countersign_issuer="dev",countersign_mode="enforced",countersign_policy="app",countersign_remembered="false",countersign_rule="/rules/2"} 1"#,
        r#"countersign_decisions_total{countersign_code="token_missing",countersign_decision="deny""#,
        "countersign_decision_wait_seconds_bucket",
        "countersign_log_dropped_total",
        r#"countersign_server_questions_total{countersign_dialect="nginx",countersign_outcome="decided",countersign_policy="app"}"#,
        r#"countersign_server_duration_seconds_count{countersign_dialect="nginx"}"#,
        r#"countersign_server_duration_seconds_bucket{countersign_dialect="nginx",le="0.0001"}"#,
        "countersign_server_connections",
        r#"countersign_server_reloads_total{countersign_outcome="unchanged",countersign_policy="app"} 1"#,
    ];
    for line in lines {
        assert!(
            reply.body.contains(line),
            "{line} is not in:\n{}",
            reply.body
        );
    }
    assert!(!reply.body.contains("ada-of-the-tests"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_log_has_the_policy_and_the_dialect_and_no_secret() {
    let mut stage =
        Stage::start(json!({ "decision_log": { "file": "log", "allow_every": 1 } })).await;
    let token = stage.folder.token();
    stage
        .ask("/orders/secret-order?q=secret-query", Some(&token))
        .await;
    stage.ask("/admin/secret-order", Some(&token)).await;
    stage.end().await;
    let log = fs::read_to_string(stage.folder.path().join("log")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, decision, path) in [
        (&lines[0], "allow", "/**"),
        (&lines[1], "deny", "/admin/**"),
    ] {
        assert_eq!(line["decision"], decision);
        assert_eq!(line["rule"]["path"], path);
        assert_eq!(
            (&line["policy"], &line["dialect"]),
            (&json!("app"), &json!("nginx"))
        );
    }
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["secret-", signature, "ada-of-the-tests"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_moved_away_begins_anew() {
    let stage = Stage::start(json!({ "decision_log": { "file": "log" } })).await;
    let path = stage.folder.path().join("log");
    let lines =
        |path: &std::path::Path| fs::read_to_string(path).unwrap_or_default().lines().count();
    stage.ask("/orders", None).await;
    until("one line", || async { lines(&path) == 1 }).await;
    let moved = stage.folder.path().join("log.1");
    fs::rename(&path, &moved).unwrap();
    stage.server.reopen_log();
    stage.ask("/orders", None).await;
    until("one line in the new file", || async { lines(&path) == 1 }).await;
    assert_eq!(lines(&moved), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_a_browser_reloads_nothing() {
    let stage = Stage::start(json!({})).await;
    let admin = stage.admin.clone().unwrap();
    for field in [
        "origin: http://localhost",
        "sec-fetch-site: cross-site",
        "referer: http://x/",
    ] {
        let request = format!("POST /reload HTTP/1.1\r\nhost: localhost\r\n{field}\r\n\r\n");
        assert_eq!(send(&admin, &request).await.status, 403, "{field}");
    }
    assert_eq!(stage.administer("GET /reload").await.status, 405);
    assert_eq!(stage.administer("POST /status").await.status, 405);
    assert_eq!(stage.administer("GET /").await.status, 404);
}
