//! The whole: a person signs in, and has a token, a node and an API key, each good at a gate
//! with the printed policy, until it is revoked.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use countersign_bridge::{Clock, Revoke, gate_policy};
use countersign_host::{Decision, Gate};
use http::Request;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::common::{Browser, Database, Provider, Reply, Stage, databases};

const PEPPER: &str = "a pepper of 16 bytes or more";
const READER: &str = "reader0reader0reader0";

/// A person who is signed in by the real login.
struct Scene {
    stage: Stage,
    provider: Provider,
    browser: Browser,
    csrf: String,
}

impl Scene {
    async fn open(database: Database) -> Self {
        let secrets = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(secrets.path().join(name), text).unwrap();
            json!({ "file": secrets.path().join(name) })
        };
        let (pepper, reader) = (file("pepper", PEPPER), file("reader", READER));
        let provider = Provider::open().await;
        let stage = Stage::with(database, |config| {
            config["clients"]["web"] = json!({
                "public": true,
                "grants": ["token_exchange"],
                "audiences": ["platform"],
                "scopes": ["orders:read"],
            });
            config["clients"]["press"] = json!({
                "public": true,
                "grants": ["device_code", "refresh_token"],
                "audiences": ["platform"],
                "scopes": ["node:ingest"],
            });
            config["login"] = json!({
                "providers": { "id": provider.config("provider") },
                "roles": { "admin": ["orders:read"] },
            });
            config["pairing"] = json!({ "roles": ["admin"] });
            config["api_keys"] = json!({
                "prefix": "sk_test_",
                "peppers": [{ "version": "2026-11", "secret": pepper }],
                "readers": [reader],
            });
        })
        .await;
        let mut scene = Self {
            stage,
            provider,
            browser: Browser::default(),
            csrf: String::new(),
        };
        scene.member(Some(&["admin".to_owned()])).await;
        let reply = scene.get("/auth/login").await;
        let reply = Browser::default().get(reply.header("location")).await;
        let reply = scene.browser.get(reply.header("location")).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        scene.csrf = text(&scene.get("/auth/session").await, "csrf");
        scene
    }

    async fn member(&self, roles: Option<&[String]>) {
        let ada = (self.provider.url.as_str(), "ada");
        let set = self.stage.bridge.set_member("acme", ada, roles).await;
        set.unwrap();
    }

    async fn get(&mut self, path: &str) -> Reply {
        let url = format!("{}{path}", self.stage.url);
        self.browser.get(&url).await
    }

    /// A form of the bridge's own page, with what a browser says of it.
    async fn form(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        let origin = self.stage.url.clone();
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        let url = format!("{origin}{path}");
        self.browser.post(&url, &headers, form).await
    }

    /// A request of a script of the bridge's site.
    async fn script(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.stage.url))
            .header("content-type", "application/json")
            .header("x-csrf-token", &self.csrf);
        self.browser.send(request, body.to_string()).await
    }

    async fn exchange(&mut self) -> Reply {
        let csrf = self.csrf.clone();
        let form = [("client_id", "web"), ("tenant", "acme"), ("csrf", &csrf)];
        self.form("/auth/session/exchange", &form).await
    }

    async fn api_key(&mut self) -> (String, String) {
        let wanted = json!({
            "name": "robot", "tenant": "acme", "roles": ["admin"], "scopes": ["orders:read"],
        });
        let reply = self.script("POST", "/v1/keys", &wanted).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        (text(&reply, "id"), text(&reply, "key"))
    }

    /// Pairs a device at the page, and returns its join token.
    async fn pair(&mut self) -> String {
        let form = [("client_id", "press"), ("device_name", "Press 7")];
        let started = self.stage.post("/pair/start", &[], &form).await;
        let page = text(&started, "verification_uri_complete");
        let asks = self.browser.get(&page).await;
        assert_eq!(asks.status, 200, "{asks:?}");
        // The session is good for every organisation of this person.
        assert!(asks.body.contains("name=\"tenant\""), "{asks:?}");
        let page = self.browser.get(&format!("{page}&tenant=acme")).await;
        let csrf = page.body.split("name=\"csrf\" value=\"").nth(1);
        let csrf = csrf.unwrap_or_else(|| panic!("{page:?}")).split('"').next();
        let code = text(&started, "user_code");
        let form = [
            ("user_code", code.as_str()),
            ("tenant", "acme"),
            ("decision", "approve"),
            ("csrf", csrf.unwrap()),
        ];
        let other = [&form[..1], &[("tenant", "globex")], &form[2..]].concat();
        assert_eq!(self.form("/pair", &other).await.status, 403);
        let approved = self.form("/pair", &form).await;
        assert_eq!(approved.status, 200, "{approved:?}");
        let code = text(&started, "device_code");
        let form = [("client_id", "press"), ("device_code", code.as_str())];
        text(
            &self.stage.post("/pair/poll", &[], &form).await,
            "access_token",
        )
    }

    async fn as_node(&self, path: &str, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.stage.post(path, &headers, &[]).await
    }

    /// A gate that has the printed policy, and fetches every document from the bridge.
    async fn gate(&self) -> Gate {
        let clock = self.stage.clock.clone();
        Gate::builder()
            .policy_yaml(&gate_policy(&self.stage.config))
            .unwrap()
            .secret("api-key-pepper", PEPPER)
            .secret("api-keys-authorization", format!("Bearer {READER}"))
            .clock(move || clock.now_ms().try_into().unwrap())
            .build()
            .await
            .unwrap()
    }
}

fn text(reply: &Reply, name: &str) -> String {
    let body = reply.json();
    let text = body[name].as_str();
    text.unwrap_or_else(|| panic!("{name}: {reply:?}"))
        .to_owned()
}

fn jti(token: &str) -> String {
    let part = BASE64.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&part).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

async fn code(gate: &Gate, (method, path): (&str, &str), token: &str) -> String {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    match gate.check(&request.body(()).unwrap()).await {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny(denial) => denial.code,
        Decision::Answer(_) => "answer".to_owned(),
    }
}

/// The documents are fetched beside the checks.
async fn becomes(gate: &Gate, at: (&str, &str), token: &str, expected: &str) {
    for _ in 0..400 {
        if code(gate, at, token).await == expected {
            return;
        }
        sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(code(gate, at, token).await, expected);
}

const API: (&str, &str) = ("GET", "/api/x");
const INGEST: (&str, &str) = ("POST", "/ingest/x");

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_made_is_good_at_a_gate_until_it_is_revoked() {
    for database in databases() {
        let mut scene = Scene::open(database).await;
        let pat = text(&scene.exchange().await, "access_token");
        let other = text(&scene.exchange().await, "access_token");
        let njt = scene.pair().await;
        let bad = scene.pair().await;
        let one = Revoke::Token(jti(&bad));
        scene.stage.bridge.revoke(&one).await.unwrap();
        let reply = scene.as_node("/v1/nodes/join", &bad).await;
        assert_eq!(reply.error(), (401, "invalid_token".to_owned()));
        let joined = scene.as_node("/v1/nodes/join", &njt).await;
        let nat = text(&joined, "access_token");
        let renewal = text(&joined, "refresh_token");
        let renewed = scene.as_node("/v1/nodes/renew", &renewal).await;
        let nat_2 = text(&renewed, "access_token");
        let renewal = text(&renewed, "refresh_token");
        let (id, key) = scene.api_key().await;

        let gate = scene.gate().await;
        for (at, token) in [
            (API, &pat),
            (API, &other),
            (API, &key),
            (INGEST, &nat),
            (INGEST, &nat_2),
        ] {
            assert_eq!(code(&gate, at, token).await, "allow", "{at:?}");
        }
        // Each is good for its own alone.
        for (at, token) in [(INGEST, &pat), (INGEST, &key), (API, &nat), (API, &njt)] {
            assert_ne!(code(&gate, at, token).await, "allow", "{at:?}");
        }

        let one = Revoke::Token(jti(&pat));
        scene.stage.bridge.revoke(&one).await.unwrap();
        let path = format!("/v1/keys/{id}");
        assert_eq!(scene.script("DELETE", &path, &json!({})).await.status, 204);
        let path = format!("/v1/nodes/{}?tenant=acme", text(&joined, "node"));
        assert_eq!(scene.script("DELETE", &path, &json!({})).await.status, 204);
        scene.stage.clock.forward_s(40);
        becomes(&gate, API, &pat, "token_revoked").await;
        becomes(&gate, API, &key, "api_key_invalid").await;
        becomes(&gate, INGEST, &nat, "token_revoked").await;
        becomes(&gate, INGEST, &nat_2, "token_revoked").await;
        let reply = scene.as_node("/v1/nodes/renew", &renewal).await;
        assert_eq!(reply.error(), (401, "invalid_token".to_owned()));
        // The session is not ended yet.
        assert_eq!(code(&gate, API, &other).await, "allow");

        let csrf = scene.csrf.clone();
        let reply = scene.form("/auth/logout", &[("csrf", &csrf)]).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        scene.stage.clock.forward_s(40);
        becomes(&gate, API, &other, "token_revoked").await;
        assert_eq!(scene.get("/auth/session").await.status, 401);
        assert_eq!(scene.exchange().await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_membership_ends_tokens_and_api_keys_at_gates() {
    for database in databases() {
        let mut scene = Scene::open(database).await;
        let pat = text(&scene.exchange().await, "access_token");
        let (_, key) = scene.api_key().await;
        let gate = scene.gate().await;
        assert_eq!(code(&gate, API, &pat).await, "allow");
        assert_eq!(code(&gate, API, &key).await, "allow");
        scene.member(None).await;
        scene.stage.clock.forward_s(40);
        becomes(&gate, API, &pat, "token_revoked").await;
        becomes(&gate, API, &key, "api_key_invalid").await;
        let wanted = json!({ "name": "robot", "tenant": "acme" });
        let reply = scene.script("POST", "/v1/keys", &wanted).await;
        assert_eq!(reply.error(), (403, "access_denied".to_owned()));
    }
}
