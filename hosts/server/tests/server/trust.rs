//! Who may ask, and about what.

use countersign_server::Address;
use serde_json::json;

use crate::stage::{Folder, Stage, question_of, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_told_the_decision() {
    let stage = Stage::start(json!({})).await;
    let token = stage.folder.token();
    assert_eq!(stage.ask("/orders", Some(&token)).await.status, 204);
    assert_eq!(stage.ask("/public/a", None).await.status, 204);

    let missing = stage.ask("/orders", None).await;
    assert_eq!((missing.status, missing.code()), (401, "token_missing"));
    assert!(missing.header("www-authenticate").is_some(), "{missing:?}");
    let denied = stage.ask("/admin/a", Some(&token)).await;
    assert_eq!((denied.status, denied.code()), (403, "role_denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_trusted_proxy_is_told_that_every_request_is_ambiguous() {
    let stage = Stage::start(json!({ "trusted_proxies": ["192.0.2.0/24"] })).await;
    let token = stage.folder.token();
    for target in ["/orders", "/public/a"] {
        let reply = stage.ask(target, Some(&token)).await;
        assert_eq!(
            (reply.status, reply.code()),
            (403, "request_ambiguous"),
            "{target}"
        );
    }
    let metrics = stage.operate("/metrics").await.body;
    assert!(
        metrics.contains(r#"countersign_outcome="untrusted""#),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_configured_is_there() {
    let stage = Stage::start(json!({})).await;
    let question = question_of("app", "/public/a", None);
    let others = [
        "/nginx/other",
        "/nginx/app2",
        "/nginx/",
        "/nginx",
        "/",
        "/traefik/app",
        "/caddy/app",
        "/haproxy/app",
        "/envoy-http/app/public/a",
        "/NGINX/app",
        "/nginx/APP",
        "//nginx/app",
        "/reload",
        "/status",
        "/livez",
        "/metrics",
    ];
    for path in others {
        let asked = question.replace("GET /nginx/app ", &format!("GET {path} "));
        assert_eq!(send(&stage.address, &asked).await.status, 404, "{path}");
    }
    // The metrics and the administration are not for proxies, and decisions not there.
    assert_eq!(stage.operate("/nginx/app").await.status, 404);
    assert_eq!(stage.administer("GET /metrics").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_comes_twice_or_as_an_alias_is_ambiguous() {
    let stage = Stage::start(json!({})).await;
    let question = stage.question("/public/a", None);
    let more = [
        "x-countersign-target: /public/a",
        "x_countersign_target: /public/a",
        "X-Countersign_Target: /public/a",
        "x-countersign-method: GET",
        "x-countersign-authority: other.example.com",
        "x_countersign_scheme: https",
    ];
    assert_eq!(send(&stage.address, &question).await.status, 204);
    for field in more {
        let asked = question.replacen("host: gate\r\n", &format!("host: gate\r\n{field}\r\n"), 1);
        let reply = send(&stage.address, &asked).await;
        assert_eq!(
            (reply.status, reply.code()),
            (403, "request_ambiguous"),
            "{field}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_has_its_mode_and_is_gone_at_the_end() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let path = folder.path().join("gate.sock");
    // What a server that was killed has left.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let more = json!({
        "listen": "unix:gate.sock", "trusted_proxies": null, "socket_mode": "0620", "admin": "unix:admin.sock",
    });
    let mut stage = Stage::start_in(folder, more).await;
    assert_eq!(stage.address, Address::Unix(path.clone()));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o620);
    assert_eq!(mode(&stage.folder.path().join("admin.sock")), 0o600);
    assert_eq!(stage.ask("/public/a", None).await.status, 204);
    assert_eq!(stage.administer("GET /status").await.status, 200);
    // Nothing else was left beside it.
    let names = std::fs::read_dir(stage.folder.path()).unwrap();
    let hidden =
        names.filter(|entry| entry.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(hidden.count(), 0);
    stage.end().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_in_use_and_a_file_stay_as_they_are() {
    let more = json!({ "listen": "unix:gate.sock", "trusted_proxies": null, "operations": null, "admin": null });
    let stage = Stage::start(more.clone()).await;
    let config = stage.folder.parse(&stage.folder.config(more));
    let error = countersign_server::Listener::bind(&config)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(stage.ask("/public/a", None).await.status, 204);

    stage.folder.write("file", "mine");
    let other = json!({ "listen": "unix:file", "trusted_proxies": null, "operations": null, "admin": null });
    let config = stage.folder.parse(&stage.folder.config(other));
    let error = countersign_server::Listener::bind(&config)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no socket"), "{error}");
    assert_eq!(
        std::fs::read_to_string(stage.folder.path().join("file")).unwrap(),
        "mine"
    );
}
