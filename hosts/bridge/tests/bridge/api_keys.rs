//! API keys: made by a signed-in person, good at a gate, gone when revoked.

use axum::body::Body;
use countersign_bridge::{Clock, Revoke};
use countersign_host::{Decision, Gate};
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Duration, sleep};
use tower::ServiceExt;

use crate::common::{Database, Stage, csrf, databases};

const PEPPER: &str = "a pepper of 16 bytes or more";
const READER: &str = "reader0reader0reader0";

/// The session of a member of `acme` with two roles.
fn session(person: &str) -> String {
    format!("{person} acme reader writer")
}

struct Scene {
    stage: Stage,
    _folder: TempDir,
}

impl Scene {
    async fn open(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            json!({ "file": folder.path().join(name) })
        };
        let (pepper, reader) = (file("pepper", PEPPER), file("reader", READER));
        let stage = Stage::said(database, |config| {
            config["api_keys"] = json!({
                "prefix": "sk_test_",
                "peppers": [{ "version": "2026-11", "secret": pepper }],
                "readers": [reader],
                "per_person": 2,
                "per_tenant": 3,
                "max_days": 30,
            });
        })
        .await;
        Self {
            stage,
            _folder: folder,
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        person: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-test-session", session(person))
            .header("x-csrf-token", csrf(person))
            .header("content-type", "application/json")
            .body(body.map_or(Body::empty(), |body| Body::from(body.to_string())))
            .unwrap();
        self.raw(request).await
    }

    async fn raw(&self, request: Request<Body>) -> (u16, Value) {
        let response = self.stage.bridge.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn create(&self, person: &str, change: Value) -> (u16, Value) {
        let mut body = json!({ "name": "robot", "tenant": "acme" });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.send("POST", "/v1/keys", person, Some(&body)).await
    }

    /// A gate that fetches the document from the bridge.
    async fn gate(&self) -> Gate {
        let clock = self.stage.clock.clone();
        let policy = json!({
            "contract": "1",
            "issuers": [{ "name": "keys", "api_keys": {
                "uri": format!("{}/api-keys.json", self.stage.url),
                "insecure_http": true,
                "refresh_s": 5,
                "prefix": ["sk_test_"],
                "pepper": [{ "version": "2026-11", "secret_from": "pepper" }],
                "headers": { "authorization": { "secret_from": "reader" } },
            } }],
            "credentials": [{ "header": "authorization", "scheme": "Bearer" }],
            "rules": [{ "path": "/api/**", "require": { "scopes": ["api:read"], "tenant": "present" } }],
        });
        Gate::builder()
            .policy(policy.to_string())
            .secret("pepper", PEPPER)
            .secret("reader", format!("Bearer {READER}"))
            .clock(move || clock.now_ms().try_into().unwrap())
            .build()
            .await
            .unwrap()
    }
}

async fn decide(gate: &Gate, key: &str) -> Decision {
    let request = Request::get("/api/x")
        .header("authorization", format!("Bearer {key}"))
        .body(())
        .unwrap();
    gate.check(&request).await
}

fn code(decision: &Decision) -> &str {
    match decision {
        Decision::Allow(_) => "allow",
        Decision::Deny(denial) => &denial.code,
        Decision::Answer(_) => "answer",
    }
}

async fn becomes(gate: &Gate, key: &str, expected: &str) {
    for _ in 0..200 {
        if code(&decide(gate, key).await) == expected {
            return;
        }
        sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(code(&decide(gate, key).await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_takes_a_key_that_was_made_and_refuses_it_when_it_is_revoked() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let wanted = json!({ "roles": ["reader"], "scopes": ["api:read"] });
        let (status, made) = scene.create("p_ann", wanted).await;
        assert_eq!(status, 201, "{made}");
        let key = made["key"].as_str().unwrap();
        scene.stage.clock.forward_s(2);
        let gate = scene.gate().await;
        let decision = decide(&gate, key).await;
        let grant = decision.grant().unwrap_or_else(|| panic!("{decision:?}"));
        let principal = grant.principal.as_ref().unwrap();
        assert_eq!(principal.subject.as_deref(), Some("p_ann"));
        assert_eq!(principal.tenant.as_deref(), Some("acme"));
        assert_eq!(principal.roles, ["reader"]);
        assert_eq!(principal.scopes, ["api:read"]);
        let wrong = key.replace("sk_test_", "sk_test_x");
        assert_eq!(code(&decide(&gate, &wrong).await), "api_key_invalid");
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/keys/{id}");
        assert_eq!(scene.send("DELETE", &path, "p_eve", None).await.0, 404);
        assert_eq!(scene.send("DELETE", &path, "p_ann", None).await.0, 204);
        scene.stage.clock.forward_s(6);
        becomes(&gate, key, "api_key_invalid").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_person_who_is_revoked_and_keys_at_their_end_are_refused() {
    let scene = Scene::open(Database::Sqlite).await;
    let wanted = json!({ "scopes": ["api:read"], "expires_in_days": 1 });
    let ann = scene.create("p_ann", wanted.clone()).await.1;
    let bob = scene.create("p_bob", wanted).await.1;
    let (ann, bob) = (ann["key"].as_str().unwrap(), bob["key"].as_str().unwrap());
    scene.stage.clock.forward_s(2);
    let gate = scene.gate().await;
    assert_eq!(code(&decide(&gate, ann).await), "allow");
    scene
        .stage
        .bridge
        .revoke(&Revoke::Person("p_ann".to_owned()))
        .await
        .unwrap();
    scene.stage.clock.forward_s(6);
    becomes(&gate, ann, "api_key_invalid").await;
    assert_eq!(code(&decide(&gate, bob).await), "allow");
    scene.stage.clock.forward_s(86_400);
    assert_ne!(code(&decide(&gate, bob).await), "allow");
}

#[tokio::test]
async fn a_key_is_shown_once_and_the_list_has_neither_key_nor_hash() {
    let scene = Scene::open(Database::Sqlite).await;
    let made = scene.create("p_ann", json!({})).await.1;
    let (status, list) = scene.send("GET", "/v1/keys", "p_ann", None).await;
    assert_eq!(status, 200);
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("key");
    assert_eq!(list, json!({ "keys": [expected] }));
    assert_eq!(list["keys"][0]["status"], "active");
    assert_eq!(list["keys"][0]["scopes"], json!([]));
    let other = scene.send("GET", "/v1/keys", "p_eve", None).await.1;
    assert_eq!(other, json!({ "keys": [] }));
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    scene.send("DELETE", &path, "p_ann", None).await;
    let list = scene.send("GET", "/v1/keys", "p_ann", None).await.1;
    assert_eq!(list["keys"][0]["status"], "revoked");
    // Nothing of the key is in the database.
    let key = made["key"].as_str().unwrap().as_bytes();
    for name in ["bridge.db", "bridge.db-wal"] {
        let bytes = std::fs::read(scene.stage.folder.path().join(name)).unwrap_or_default();
        assert!(
            !bytes.windows(key.len()).any(|window| window == key),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_key_is_never_wider_than_the_person_nor_longer_than_the_settings() {
    let scene = Scene::open(Database::Sqlite).await;
    for (change, status, error) in [
        (json!({ "roles": ["admin"] }), 403, "access_denied"),
        (
            json!({ "scopes": ["api:read", "api:admin"] }),
            400,
            "invalid_scope",
        ),
        (json!({ "tenant": "other" }), 403, "access_denied"),
        (json!({ "expires_in_days": 31 }), 400, "invalid_request"),
        (json!({ "expires_in_days": 0 }), 400, "invalid_request"),
        (json!({ "name": "" }), 400, "invalid_request"),
        (json!({ "name": "a\nb" }), 400, "invalid_request"),
        (json!({ "more": 1 }), 400, "invalid_request"),
        (
            json!({ "roles": vec!["reader"; 33] }),
            400,
            "invalid_request",
        ),
    ] {
        let (got, body) = scene.create("p_ann", change.clone()).await;
        assert_eq!((got, &body["error"]), (status, &json!(error)), "{change}");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_or_comes_from_another_site_gets_nothing() {
    let scene = Scene::open(Database::Sqlite).await;
    let body = || Body::from(r#"{"name":"x","tenant":"acme"}"#);
    let post = || Request::post("/v1/keys").header("content-type", "application/json");
    let nobody = post().body(body()).unwrap();
    assert_eq!(scene.raw(nobody).await.0, 401);
    let foreign = post()
        .header("x-test-session", session("p_ann"))
        .body(body())
        .unwrap();
    assert_eq!(scene.raw(foreign).await.0, 403);
    let form = Request::post("/v1/keys")
        .header("x-test-session", session("p_ann"))
        .header("x-csrf-token", csrf("p_ann"))
        .header("content-type", "text/plain")
        .body(body());
    assert_eq!(scene.raw(form.unwrap()).await.0, 400);
    let delete = Request::delete("/v1/keys/x").header("x-test-session", session("p_ann"));
    assert_eq!(scene.raw(delete.body(Body::empty()).unwrap()).await.0, 403);
    let list = Request::get("/v1/keys").body(Body::empty()).unwrap();
    assert_eq!(scene.raw(list).await.0, 401);
    for shown in ["", "Bearer wrong", READER] {
        let read = Request::get("/api-keys.json").header("authorization", shown);
        assert_eq!(
            scene.raw(read.body(Body::empty()).unwrap()).await.0,
            401,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_person_and_a_tenant_have_so_many_keys_and_an_hour_so_many_attempts() {
    for database in databases() {
        let scene = Scene::open(database).await;
        let make = async |person: &str| scene.create(person, json!({})).await;
        let first = make("p_ann").await.1;
        assert_eq!(make("p_ann").await.0, 201);
        assert_eq!(make("p_ann").await.0, 403);
        assert_eq!(make("p_bob").await.0, 201);
        assert_eq!(make("p_bob").await.0, 403);
        // One that is revoked counts no more.
        let path = format!("/v1/keys/{}", first["id"].as_str().unwrap());
        assert_eq!(scene.send("DELETE", &path, "p_ann", None).await.0, 204);
        assert_eq!(make("p_bob").await.0, 201);
        let mut last = 0;
        for _ in 0..60 {
            last = make("p_ann").await.0;
        }
        assert_eq!(last, 429);
    }
}
