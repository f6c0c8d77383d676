//! Organisations that connect their own OpenID provider, and attacks by and on them by name.

mod connect;
mod hostile;
mod many;
mod roles;
mod sign_in;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::common::{Browser, CLIENT_SECRET, Database, Provider, Reply, Stage};

/// A bridge, the platform's provider, and the provider that `acme` connects.
struct Scene {
    stage: Stage,
    platform: Provider,
    own: Provider,
}

/// Somebody who is signed in by the platform's provider.
struct Person {
    browser: Browser,
    csrf: String,
}

impl Scene {
    async fn open(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    async fn with(database: Database, change: impl FnOnce(&mut Value)) -> Self {
        let (platform, own) = (Provider::open().await, Provider::open().await);
        let stage = Stage::with(database, |config| {
            config["login"] = json!({
                "providers": { "platform": platform.config("provider") },
                "organisations": { "roles": ["admin"] },
                "roles": { "admin": ["orders:write"], "clerk": ["orders:read"] },
            });
            config["clients"]["web"] = json!({
                "public": true,
                "grants": ["token_exchange"],
                "scopes": ["orders:read", "orders:write"],
            });
            change(config);
        })
        .await;
        Self {
            stage,
            platform,
            own,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.stage.url)
    }

    /// A person of the platform's provider, with these roles in this organisation.
    async fn person(&self, sub: &str, tenant: &str, roles: &[&str]) -> Person {
        let roles: Vec<_> = roles.iter().map(|role| (*role).to_owned()).collect();
        let person = (self.platform.url.as_str(), sub);
        let bridge = &self.stage.bridge;
        bridge
            .set_member(tenant, person, Some(&roles))
            .await
            .unwrap();
        self.platform.signs_in(sub);
        let mut browser = Browser::default();
        let reply = self
            .through(&mut browser, "/auth/login?provider=platform")
            .await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let csrf = self.csrf(&mut browser).await;
        Person { browser, csrf }
    }

    async fn admin(&self) -> Person {
        self.person("ada", "acme", &["admin"]).await
    }

    async fn csrf(&self, browser: &mut Browser) -> String {
        let session = browser.get(&self.at("/auth/session")).await.json();
        session["csrf"].as_str().unwrap().to_owned()
    }

    /// From this path to a provider, and back: the answer to the browser.
    async fn through(&self, browser: &mut Browser, path: &str) -> Reply {
        let back = self.answer(browser, path).await;
        browser.get(&back).await
    }

    /// From this path to a provider: the address to which it sends the browser back.
    async fn answer(&self, browser: &mut Browser, path: &str) -> String {
        let reply = browser.get(&self.at(path)).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let reply = Browser::default().get(reply.header("location")).await;
        assert_eq!(reply.status, 303, "{reply:?}");
        reply.header("location").to_owned()
    }

    /// What an admin of `acme` says of its provider.
    fn wanted(&self) -> Value {
        json!({
            "tenant": "acme",
            "name": "Acme's own",
            "issuer": self.own.url,
            "client_id": "bridge",
            "client_secret": CLIENT_SECRET,
            "algorithms": ["ES256"],
        })
    }

    async fn send(
        &self,
        person: &mut Person,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(self.at(path))
            .header("x-csrf-token", &person.csrf)
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        person.browser.send(request, body).await
    }

    async fn create(&self, person: &mut Person, change: &Value) -> Reply {
        let body = changed(self.wanted(), change);
        self.send(person, "POST", "/v1/providers", Some(&body))
            .await
    }

    /// The id of a provider that is validated.
    async fn connected(&self, person: &mut Person, change: &Value) -> String {
        let reply = self.create(person, change).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    async fn test(&self, person: &mut Person, id: &str) -> Reply {
        let path = format!("/auth/login?provider={id}&test=1");
        self.through(&mut person.browser, &path).await
    }

    async fn act(&self, person: &mut Person, id: &str, what: &str) -> Reply {
        let path = format!("/v1/providers/{id}/{what}");
        self.send(person, "POST", &path, None).await
    }

    /// The id of a provider that is active.
    async fn active(&self, person: &mut Person, change: &Value) -> String {
        let id = self.connected(person, change).await;
        let page = self.test(person, &id).await;
        assert_eq!(page.status, 200, "{page:?}");
        let reply = self.act(person, &id, "activate").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        id
    }

    /// Signs in by a provider of an organisation.
    async fn sign_in(&self, browser: &mut Browser, id: &str) -> Reply {
        let path = format!("/auth/login?provider={id}&return_to=/orders");
        self.through(browser, &path).await
    }

    /// A token of this browser's session for an organisation.
    async fn token(&self, browser: &mut Browser, tenant: &str) -> Reply {
        let csrf = self.csrf(browser).await;
        let url = self.at("/auth/session/exchange");
        let headers = [("x-csrf-token", csrf.as_str())];
        let form = [("client_id", "web"), ("tenant", tenant)];
        browser.post(&url, &headers, &form).await
    }
}

fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

/// The answer of this very bridge, without a socket.
async fn routed(bridge: &countersign_bridge::Bridge, request: Request<Body>) -> (u16, Value) {
    let response = bridge.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    let body = body.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
