//! A session becomes a token: never wider, never longer, and of members only.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
};

use axum::{Json, Router, extract::Query, response::IntoResponse, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::common::{Browser, Database, Provider, Reply, START_MS, Stage, databases};

struct Signed {
    stage: Stage,
    provider: Provider,
    browser: Browser,
    csrf: String,
    person: String,
}

impl Signed {
    async fn open(database: Database, change: impl FnOnce(&mut Value)) -> Self {
        let provider = Provider::open().await;
        let stage = Stage::with(database, |config| {
            config["tokens"]["audiences"] = json!(["platform", "billing"]);
            config["clients"]["orders"]["audiences"] = json!(["platform"]);
            config["clients"]["web"] = json!({
                "public": true,
                "grants": ["token_exchange"],
                "audiences": ["platform"],
                "scopes": ["orders:read", "orders:write", "people:read"],
            });
            config["login"] = json!({
                "providers": { "id": provider.config("provider") },
                "roles": {
                    "clerk": ["orders:read"],
                    "admin": ["orders:read", "orders:write", "admin"],
                },
            });
            change(config);
        })
        .await;
        let mut browser = Browser::default();
        let reply = browser.get(&format!("{}/auth/login", stage.url)).await;
        let reply = Browser::default().get(reply.header("location")).await;
        let reply = browser.get(reply.header("location")).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let session = browser
            .get(&format!("{}/auth/session", stage.url))
            .await
            .json();
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        Self {
            csrf: text("csrf"),
            person: text("person"),
            stage,
            provider,
            browser,
        }
    }

    async fn with_role(database: Database, role: &str) -> Self {
        let signed = Self::open(database, |_| {}).await;
        signed.member(Some(&[role.to_owned()])).await;
        signed
    }

    async fn member(&self, roles: Option<&[String]>) {
        let person = (self.provider.url.as_str(), "ada");
        self.stage
            .bridge
            .set_member("acme", person, roles)
            .await
            .unwrap();
    }

    async fn ask(&mut self, form: &[(&str, &str)]) -> Reply {
        let url = format!("{}/auth/session/exchange", self.stage.url);
        let form = [&[("client_id", "web")], form].concat();
        let headers = [("x-csrf-token", self.csrf.as_str())];
        self.browser.post(&url, &headers, &form).await
    }
}

fn claims(reply: &Reply) -> Value {
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_becomes_a_token_with_what_its_member_may() {
    for database in databases() {
        let mut signed = Signed::with_role(database, "admin").await;
        let reply = signed.ask(&[("tenant", "acme")]).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let body = reply.json();
        let kind = "urn:ietf:params:oauth:token-type:access_token";
        assert_eq!(body["issued_token_type"], kind);
        let claims = claims(&reply);
        assert_eq!(claims["sub"], json!(signed.person));
        assert_eq!(claims["aud"], "platform");
        assert_eq!(claims["tenant_id"], "acme");
        assert_eq!(claims["roles"], json!(["admin"]));
        // Of the role and of the client, what both have.
        assert_eq!(claims["scope"], "orders:read orders:write");
        assert_eq!(claims["auth_time"], json!(START_MS / 1000));
        assert_eq!(claims["exp"], json!(START_MS / 1000 + 1800));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exchange_of_another_audience_or_more_scope() {
    let mut signed = Signed::with_role(Database::Sqlite, "clerk").await;
    for (form, error) in [
        (("audience", "billing"), "invalid_target"),
        (("audience", "elsewhere"), "invalid_target"),
        (("resource", "billing"), "invalid_target"),
        // The client may have it, and the role not.
        (("scope", "orders:write"), "invalid_scope"),
        // The role may have it, and the client not.
        (("scope", "admin"), "invalid_scope"),
        (("scope", "orders:read people:read"), "invalid_scope"),
    ] {
        let reply = signed.ask(&[("tenant", "acme"), form]).await;
        assert_eq!(reply.error(), (400, error.to_owned()), "{form:?}");
    }
    let reply = signed
        .ask(&[("tenant", "acme"), ("scope", "orders:read")])
        .await;
    assert_eq!(claims(&reply)["scope"], "orders:read");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_member_has_no_token() {
    let mut signed = Signed::with_role(Database::Sqlite, "clerk").await;
    let reply = signed.ask(&[("tenant", "globex")]).await;
    assert_eq!(reply.error(), (400, "access_denied".to_owned()));
    let reply = signed.ask(&[]).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_membership() {
    for database in databases() {
        let mut signed = Signed::with_role(database, "clerk").await;
        let jti = claims(&signed.ask(&[("tenant", "acme")]).await)["jti"].clone();
        signed.member(None).await;
        let reply = signed.ask(&[("tenant", "acme")]).await;
        assert_eq!(reply.error(), (400, "access_denied".to_owned()));
        let sql = "SELECT value FROM revocations WHERE kind = 'jti'";
        assert_eq!(signed.stage.sql(sql).await, [jti.as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_revokes_the_session_s_tokens_and_no_others() {
    for database in databases() {
        let mut signed = Signed::with_role(database, "clerk").await;
        let jti = claims(&signed.ask(&[("tenant", "acme")]).await)["jti"].clone();
        signed.stage.token().await;
        let url = format!("{}/auth/logout", signed.stage.url);
        let copy = signed.browser.clone();
        let form = [("csrf", signed.csrf.as_str())];
        assert_eq!(signed.browser.post(&url, &[], &form).await.status, 303);
        let sql = "SELECT value FROM revocations WHERE kind = 'jti'";
        assert_eq!(signed.stage.sql(sql).await, [jti.as_str().unwrap()]);
        signed.browser = copy;
        let reply = signed.ask(&[("tenant", "acme")]).await;
        assert_eq!(reply.error(), (401, "invalid_token".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_no_later_than_its_session() {
    let change = |config: &mut Value| {
        config["login"]["idle_s"] = json!(600);
        config["login"]["absolute_s"] = json!(900);
    };
    let mut signed = Signed::open(Database::Sqlite, change).await;
    signed.member(Some(&["clerk".to_owned()])).await;
    let reply = signed.ask(&[("tenant", "acme")]).await;
    assert_eq!(reply.json()["expires_in"], 600);
    signed.stage.clock.forward_s(590);
    let reply = signed.ask(&[("tenant", "acme")]).await;
    assert_eq!(reply.json()["expires_in"], 310);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_needs_the_csrf_token_and_a_client_with_the_grant() {
    let mut signed = Signed::with_role(Database::Sqlite, "clerk").await;
    let right = std::mem::replace(&mut signed.csrf, "x".to_owned());
    let reply = signed.ask(&[("tenant", "acme")]).await;
    assert_eq!(reply.error(), (400, "access_denied".to_owned()));
    signed.csrf = right;
    let url = format!("{}/auth/session/exchange", signed.stage.url);
    let headers = [("x-csrf-token", signed.csrf.as_str())];
    let form = [("tenant", "acme"), ("client_id", "orders")];
    let reply = signed.browser.post(&url, &headers, &form).await;
    assert_eq!(reply.error(), (401, "invalid_client".to_owned()));
    let secret = ("client_secret", crate::common::SECRET);
    let form = [form[0], form[1], secret];
    let reply = signed.browser.post(&url, &headers, &form).await;
    assert_eq!(reply.error(), (400, "unauthorized_client".to_owned()));
    let reply = Browser::default().post(&url, &headers, &form).await;
    assert_eq!(reply.error(), (401, "invalid_token".to_owned()));
}

/// A tenancy service that answers with this status, and counts.
async fn tenancy(status: Arc<AtomicU16>, count: Arc<AtomicU32>) -> String {
    let answer = move |Query(asked): Query<HashMap<String, String>>| {
        count.fetch_add(1, Ordering::SeqCst);
        let status = StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap();
        let is_it = asked["subject"] == "ada" && asked["tenant"] == "acme";
        async move {
            match is_it && asked.contains_key("issuer") {
                true => (status, Json(json!({ "roles": ["clerk"] }))).into_response(),
                false => StatusCode::IM_A_TEAPOT.into_response(),
            }
        }
    };
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/members", socket.local_addr().unwrap());
    let router = Router::new().route("/members", get(answer));
    tokio::spawn(async move { axum::serve(socket, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenancy_service_says_who_is_a_member_and_its_failure_is_no_answer() {
    let (status, count) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicU32::new(0)));
    let uri = tenancy(status.clone(), count.clone()).await;
    let change = |config: &mut Value| {
        config["login"]["tenancy"] = json!({ "uri": uri, "token": { "file": "orders" } });
    };
    let mut signed = Signed::open(Database::Sqlite, change).await;
    let form = [("tenant", "acme")];
    let reply = signed.ask(&form).await;
    assert_eq!(claims(&reply)["roles"], json!(["clerk"]));
    // For a while the answer is used again.
    assert_eq!(signed.ask(&form).await.status, 200);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    for failure in [500, 301, 204, 403] {
        signed.stage.clock.forward_s(16);
        status.store(failure, Ordering::SeqCst);
        let reply = signed.ask(&form).await;
        let expected = (503, "temporarily_unavailable".to_owned());
        assert_eq!(reply.error(), expected, "{failure}");
    }
    let sql = "SELECT value FROM revocations";
    assert!(signed.stage.sql(sql).await.is_empty());
    status.store(404, Ordering::SeqCst);
    let reply = signed.ask(&form).await;
    assert_eq!(reply.error(), (400, "access_denied".to_owned()));
    assert_eq!(signed.stage.sql(sql).await.len(), 2);
}
