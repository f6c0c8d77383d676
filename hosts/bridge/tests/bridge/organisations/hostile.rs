//! An organisation's URL is hostile.

use axum::{Router, body::Body, response::Redirect, routing::get};
use http::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Duration, timeout},
};

use super::{Scene, routed};
use crate::common::{Browser, Database, Stage, csrf};

/// A bridge that is not for development, as nobody signs in there in a test.
async fn strict() -> Stage {
    Stage::said(Database::Sqlite, |config| {
        config["issuer"] = json!("https://auth.example.com");
        config["trusted_proxies"] = json!(["127.0.0.1/32"]);
        config["login"] = json!({
            "organisations": { "roles": ["admin"] },
            "roles": { "admin": [] },
        });
    })
    .await
}

async fn connect(stage: &Stage, person: &str, issuer: &str) -> (u16, Value) {
    let body = json!({
        "tenant": "acme", "name": "x", "issuer": issuer, "client_id": "bridge",
    });
    let request = Request::post("/v1/providers")
        .header("x-test-session", format!("{person} acme admin"))
        .header("x-csrf-token", csrf(person))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    routed(&stage.bridge, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_aimed_at_this_machine_or_network_connects_to_nothing() {
    let stage = strict().await;
    let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = here.local_addr().unwrap().port();
    let mut told = Vec::new();
    for (number, issuer) in [
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://0x7f.1:{port}"),
        format!("https://0.0.0.0:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://[64:ff9b::7f00:1]:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[fd00:ec2::254]".to_owned(),
        "https://[fe80::1]".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://172.16.0.1".to_owned(),
        "https://192.168.1.1".to_owned(),
        "https://100.100.100.200".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        // Somebody else each time: one person does not try so often.
        let (status, body) = connect(&stage, &format!("p{number}"), &issuer).await;
        assert_eq!(status, 400, "{issuer}: {body}");
        told.push(body["error_description"].as_str().unwrap().to_owned());
    }
    // Which address answers and which is refused is not told.
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    let accepted = timeout(Duration::from_millis(100), here.accept()).await;
    assert!(accepted.is_err());
    assert!(stage.sql("SELECT id FROM providers").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_no_https_address_is_not_asked() {
    let stage = strict().await;
    let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("http://{}", here.local_addr().unwrap());
    for issuer in [
        plain.as_str(),
        "ftp://id.example.com",
        "https://user:word@id.example.com",
        "https://id.example.com/?x=1",
        "https://id.example.com/#x",
        "https://auth.example.com",
        "https://auth.example.com/",
        "id.example.com",
        "",
    ] {
        let (status, body) = connect(&stage, "ada", issuer).await;
        assert_eq!(status, 400, "{issuer}: {body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with("`issuer`"), "{issuer}: {body}");
    }
    let accepted = timeout(Duration::from_millis(100), here.accept()).await;
    assert!(accepted.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_another_or_with_endpoints_out_of_reach_is_refused() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    for metadata in [
        json!({ "issuer": scene.platform.url }),
        json!({ "issuer": null }),
        json!({ "token_endpoint": "http://id.example.com/token" }),
        json!({ "token_endpoint": "https://10.0.0.1/token" }),
        json!({ "token_endpoint": "https://169.254.169.254/token" }),
        json!({ "token_endpoint": "https://[::ffff:10.0.0.1]/token" }),
        json!({ "jwks_uri": "https://192.168.0.1/keys" }),
        json!({ "jwks_uri": "ftp://id.example.com/keys" }),
        json!({ "jwks_uri": null }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        // What it asks another provider for, in the name of this one.
        json!({ "authorization_endpoint": format!("{}/authorize?redirect_uri=x", scene.own.url) }),
        json!({ "end_session_endpoint": "javascript:alert(1)" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
    ] {
        scene.own.describes(metadata.clone());
        let reply = scene.create(&mut admin, &json!({})).await;
        assert_eq!(reply.status, 400, "{metadata}: {reply:?}");
        let description = reply.json()["error_description"].to_string();
        assert!(description.contains("not what is needed"), "{description}");
    }
    assert!(scene.stage.sql("SELECT id FROM providers").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_move_to_another_network_later_are_not_asked_either() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let id = scene.active(&mut admin, &json!({})).await;
    // What the bridge knows is ten minutes old at most.
    scene.stage.clock.forward_s(601);
    scene.own.forward_s(601);
    scene
        .own
        .describes(json!({ "token_endpoint": "https://10.0.0.1/token" }));
    let mut browser = Browser::default();
    let reply = scene.sign_in(&mut browser, &id).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(!browser.cookies.contains_key("__Host-countersign"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", socket.local_addr().unwrap());
    let to = format!("{}/.well-known/openid-configuration", scene.own.url);
    let router = Router::new().fallback(get(move || async move { Redirect::to(&to) }));
    tokio::spawn(async move { axum::serve(socket, router).await });
    let reply = scene.create(&mut admin, &json!({ "issuer": issuer })).await;
    assert_eq!(reply.status, 400, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_and_a_huge_one_end_at_their_bound() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n",
    ] {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", socket.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&[b'x'; 16_384]).await.is_ok() {}
            }
        });
        let reply = scene.create(&mut admin, &json!({ "issuer": issuer })).await;
        assert_eq!(reply.status, 400, "{reply:?}");
    }
    assert!(scene.stage.sql("SELECT id FROM providers").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_another_form_is_refused() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    for change in [
        json!({ "algorithms": ["HS256"] }),
        json!({ "algorithms": ["none"] }),
        json!({ "algorithms": [] }),
        json!({ "name": "" }),
        json!({ "name": "a\nb" }),
        json!({ "client_id": "" }),
        json!({ "client_secret": "" }),
        json!({ "scopes": ["a b"] }),
        json!({ "tenant": "x".repeat(129) }),
        json!({ "id": "o_mine" }),
        json!({ "state": "active" }),
    ] {
        let reply = scene.create(&mut admin, &change).await;
        assert!(matches!(reply.status, 400 | 403), "{change}: {reply:?}");
    }
    assert!(scene.stage.sql("SELECT id FROM providers").await.is_empty());
}
