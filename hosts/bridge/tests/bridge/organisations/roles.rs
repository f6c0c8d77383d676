//! Claim to role mapping by the policy language.

use axum::{Json, Router, routing::get};
use serde_json::json;
use tokio::net::TcpListener;

use super::Scene;
use crate::common::{Browser, Database, databases};

fn mapping() -> serde_json::Value {
    json!({ "roles": {
        "admin": { "claims": { "/groups": { "contains": "7f" } } },
        "clerk": { "claims": { "/department": { "equals": "press" } } },
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claims_say_who_has_which_role_from_then_on() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let mut admin = scene.admin().await;
        scene.own.says(json!({ "groups": ["7f"] }));
        let id = scene.connected(&mut admin, &mapping()).await;
        // The test says what would be, and changes nothing.
        let page = scene.test(&mut admin, &id).await;
        assert!(page.body.contains("<li>admin</li>"), "{page:?}");
        assert!(!page.body.contains("<li>clerk</li>"), "{page:?}");
        let members = scene.stage.sql("SELECT person FROM members").await;
        assert_eq!(members.len(), 1);
        assert_eq!(scene.act(&mut admin, &id, "activate").await.status, 200);

        scene.own.signs_in("bob");
        scene
            .own
            .says(json!({ "groups": ["7f", "a0"], "department": "press" }));
        let mut browser = Browser::default();
        assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
        let token = scene.token(&mut browser, "acme").await;
        assert_eq!(token.status, 200, "{token:?}");
        let scope = token.json()["scope"].as_str().unwrap().to_owned();
        assert!(scope.contains("orders:read") && scope.contains("orders:write"));

        // Fewer claims, fewer roles.
        scene.own.says(json!({ "department": "press" }));
        assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
        let token = scene.token(&mut browser, "acme").await;
        assert_eq!(token.json()["scope"], "orders:read", "{token:?}");
        let token = token.json()["access_token"].as_str().unwrap().to_owned();

        // None: no member any more, and what was issued is revoked.
        scene.own.says(json!({ "groups": "7f" }));
        let mut second = Browser::default();
        assert_eq!(scene.sign_in(&mut second, &id).await.status, 303);
        let refused = scene.token(&mut second, "acme").await;
        assert_eq!(refused.error(), (400, "access_denied".to_owned()));
        let jti = jti(&token);
        let revoked = scene.stage.get("/revocations.json").await;
        assert!(revoked.body.contains(&jti), "{revoked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mapping_the_table_says_who_is_a_member() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let id = scene.active(&mut admin, &json!({})).await;
    let mut browser = Browser::default();
    assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
    let refused = scene.token(&mut browser, "acme").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let roles = ["clerk".to_owned()];
    let person = (scene.own.url.as_str(), "ada");
    let bridge = &scene.stage.bridge;
    bridge
        .set_member("acme", person, Some(&roles))
        .await
        .unwrap();
    assert_eq!(scene.token(&mut browser, "acme").await.status, 200);
    // A login leaves that as it is.
    assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
    assert_eq!(scene.token(&mut browser, "acme").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_is_none_is_refused_with_its_problems() {
    let scene = Scene::open(Database::Sqlite).await;
    let mut admin = scene.admin().await;
    let roles = json!({ "roles": { "admin": { "claims": { "/groups": { "holds": "7f" } } } } });
    let reply = scene.create(&mut admin, &roles).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
    let problem = &reply.json()["problems"][0];
    assert_eq!(problem["role"], "admin");
    assert!(problem["pointer"].as_str().unwrap().contains("groups"));
    let long = "x".repeat(5000);
    let many: serde_json::Map<_, _> = (0..33).map(|n| (format!("r{n}"), json!({}))).collect();
    for roles in [
        json!({}),
        json!({ "emperor": {} }),
        json!({ "admin": true }),
        json!({ "admin": { "claims": { "/groups": { "contains": long } } } }),
        json!(many),
    ] {
        let reply = scene.create(&mut admin, &json!({ "roles": roles })).await;
        assert_eq!(reply.status, 400, "{roles}: {reply:?}");
    }
    assert!(scene.stage.sql("SELECT id FROM providers").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_service_knows_the_members_no_provider_says_it() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/members", socket.local_addr().unwrap());
    let everybody = get(|| async { Json(json!({ "roles": ["admin"] })) });
    let router = Router::new().route("/members", everybody);
    tokio::spawn(async move { axum::serve(socket, router).await });
    let scene = Scene::with(Database::Sqlite, |config| {
        config["login"]["tenancy"] = json!({ "uri": uri });
    })
    .await;
    let mut admin = scene.admin().await;
    let reply = scene.create(&mut admin, &mapping()).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let id = scene.active(&mut admin, &json!({})).await;
    let mut browser = Browser::default();
    assert_eq!(scene.sign_in(&mut browser, &id).await.status, 303);
    assert_eq!(scene.token(&mut browser, "acme").await.status, 200);
}

/// `jti` of a token.
fn jti(token: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = token.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}
