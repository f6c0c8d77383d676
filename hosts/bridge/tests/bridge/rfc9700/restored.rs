//! A database from an hour ago: what has happened since is not known any more.

use std::{fs, path::PathBuf};

use axum::{Router, body::Body};
use countersign_bridge::{Bridge, Config};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::common::{Database, MovableClock, Stage, csrf, open};

/// A bridge with paired nodes, and a copy of its database.
struct Backup {
    folder: TempDir,
    config: Config,
    clock: MovableClock,
    /// What two nodes renew with.
    renewals: [String; 2],
    /// A join token, and a device code that is approved.
    njt: String,
    device_code: String,
}

impl Backup {
    async fn make() -> Self {
        let stage = Stage::said(Database::Sqlite, |config| {
            config["pairing"] = json!({ "roles": ["admin"] });
            config["clients"]["press"] = json!({
                "public": true,
                "grants": ["device_code", "refresh_token"],
                "scopes": ["node:ingest"],
            });
        })
        .await;
        let mut renewals = Vec::new();
        for _ in 0..2 {
            let token = poll(&stage, &approved(&stage).await).await;
            renewals.push(join(&stage, &token).await);
        }
        let njt = poll(&stage, &approved(&stage).await).await;
        let device_code = approved(&stage).await;
        let clock = stage.clock.clone();
        // Its end writes everything into one file.
        let (folder, config) = stage.end().await;
        let file = |name: &str| folder.path().join(name);
        fs::copy(file("bridge.db"), file("backup.db")).unwrap();
        Self {
            renewals: renewals.try_into().unwrap(),
            folder,
            config,
            clock,
            njt,
            device_code,
        }
    }

    async fn open(&self) -> Bridge {
        let opened = open(&self.config, &self.clock).await;
        opened.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The copy in place of the database, an hour after it was made.
    async fn restore(&self) -> Router {
        let file = |name: &str| -> PathBuf { self.folder.path().join(name) };
        for name in ["bridge.db-wal", "bridge.db-shm"] {
            let _ = fs::remove_file(file(name));
        }
        fs::remove_file(file("bridge.db")).unwrap();
        fs::copy(file("backup.db"), file("bridge.db")).unwrap();
        self.clock.forward_s(3600);
        self.open().await.router()
    }
}

async fn approved(stage: &Stage) -> String {
    let form = [("client_id", "press"), ("device_name", "Press 7")];
    let started = stage.post("/pair/start", &[], &form).await.json();
    let csrf = csrf("p_ada");
    let form = [
        ("user_code", started["user_code"].as_str().unwrap()),
        ("decision", "approve"),
        ("csrf", &csrf),
    ];
    let session = [("x-test-session", "p_ada acme admin")];
    let reply = stage.post("/pair", &session, &form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    started["device_code"].as_str().unwrap().to_owned()
}

async fn poll(stage: &Stage, device_code: &str) -> String {
    let form = [("client_id", "press"), ("device_code", device_code)];
    let reply = stage.post("/pair/poll", &[], &form).await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn join(stage: &Stage, njt: &str) -> String {
    let bearer = format!("Bearer {njt}");
    let headers = [("authorization", bearer.as_str())];
    let reply = stage.post("/v1/nodes/join", &headers, &[]).await;
    reply.json()["refresh_token"].as_str().unwrap().to_owned()
}

/// Status and body of a form that a node sends.
async fn send(router: &Router, path: &str, token: &str, form: &str) -> (u16, Value) {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(form.to_owned()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn renew(router: &Router, renewal: &str) -> (u16, String) {
    let (status, body) = send(router, "/v1/nodes/renew", renewal, "").await;
    let next = body["refresh_token"].as_str().unwrap_or_default();
    (status, next.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_good_once_before_a_restore_is_good_no_more() {
    let backup = Backup::make().await;
    let lost = backup.open().await.router();
    let (status, _) = send(&lost, "/v1/nodes/join", &backup.njt, "").await;
    assert_eq!(status, 200);
    drop(lost);
    // The copy says that nobody has used them, and they are over by then.
    let router = backup.restore().await;
    let (status, body) = send(&router, "/v1/nodes/join", &backup.njt, "").await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_token")));
    let form = format!("client_id=press&device_code={}", backup.device_code);
    let request = Request::post("/pair/poll")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 400);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["error"], "expired_token");
}

/// A renewal of the lost hour cannot be told from one that somebody else has made: the node
/// is paired again. What was used up in that hour is good for one who has stolen it until the
/// node itself comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_from_before_a_restore_is_found_out() {
    let backup = Backup::make().await;
    let lost = backup.open().await.router();
    let mut newer = Vec::new();
    for renewal in &backup.renewals {
        let (status, next) = renew(&lost, renewal).await;
        assert_eq!(status, 200);
        newer.push(next);
    }
    drop(lost);
    let router = backup.restore().await;
    // The node comes first.
    assert_eq!(renew(&router, &newer[0]).await.0, 401);
    assert_eq!(renew(&router, &backup.renewals[0]).await.0, 401);
    // Who has stolen the used one comes first.
    let (status, stolen) = renew(&router, &backup.renewals[1]).await;
    assert_eq!(status, 200);
    assert_eq!(renew(&router, &newer[1]).await.0, 401);
    assert_eq!(renew(&router, &stolen).await.0, 401);
}
