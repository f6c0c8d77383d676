//! Pairing: from a code to a node that renews, and what must not work on the way.

mod codes;
mod flow;
mod nodes;
mod page;

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use countersign_bridge::Clock;
use countersign_dev_issuer::{ProofKey, Proven};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::common::{Database, Reply, SECRET, Stage, csrf, send};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Who administers the organisation `acme`.
const ADA: &str = "p_ada acme admin";

/// A bridge with a client of devices, and a second one.
async fn stage(database: Database) -> Stage {
    Stage::said(database, |config| {
        config["pairing"] = json!({ "roles": ["admin"] });
        config["tokens"]["audiences"] = json!(["platform", "ingest"]);
        config["clients"]["press"] = json!({
            "public": true,
            "grants": ["device_code", "refresh_token"],
            "audiences": ["platform"],
            "scopes": ["node:ingest", "node:read"],
        });
        config["clients"]["other"] = json!({
            "secrets": [{ "file": "orders" }],
            "grants": ["device_code"],
            "audiences": ["platform", "ingest"],
            "scopes": ["node:ingest", "orders:read"],
        });
    })
    .await
}

/// What a device has got at its beginning.
struct Started {
    device_code: String,
    user_code: String,
}

async fn start_with(stage: &Stage, more: &[(&str, &str)]) -> Started {
    let form = [&[("client_id", "press"), ("device_name", "Press 7")], more].concat();
    let reply = stage.post("/pair/start", &[], &form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Started {
        device_code: text("device_code"),
        user_code: text("user_code"),
    }
}

async fn start(stage: &Stage) -> Started {
    start_with(stage, &[]).await
}

async fn poll(stage: &Stage, started: &Started) -> Reply {
    let form = [
        ("client_id", "press"),
        ("device_code", &started.device_code),
    ];
    stage.post("/pair/poll", &[], &form).await
}

async fn decide(stage: &Stage, session: &str, user_code: &str, decision: &str) -> Reply {
    let person = session.split(' ').next().unwrap();
    let form = [
        ("user_code", user_code),
        ("decision", decision),
        ("csrf", &csrf(person)),
    ];
    stage
        .post("/pair", &[("x-test-session", session)], &form)
        .await
}

async fn approve(stage: &Stage, started: &Started) {
    let reply = decide(stage, ADA, &started.user_code, "approve").await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// The join token of a device that was approved.
async fn join_token(stage: &Stage, more: &[(&str, &str)]) -> String {
    let started = start_with(stage, more).await;
    approve(stage, &started).await;
    let reply = poll(stage, &started).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    text(&reply, "access_token")
}

/// A node's request with its token, and a proof where there is a key.
async fn as_node(
    stage: &Stage,
    path: &str,
    token: &str,
    key: Option<&ProofKey>,
    form: &[(&str, &str)],
) -> Reply {
    let Some(key) = key else {
        let bearer = format!("Bearer {token}");
        return stage.post(path, &[("authorization", &bearer)], form).await;
    };
    let proof = prove(stage, path, token, key);
    let dpop = format!("DPoP {token}");
    let headers = [("authorization", dpop.as_str()), ("dpop", &proof)];
    stage.post(path, &headers, form).await
}

fn prove(stage: &Stage, path: &str, token: &str, key: &ProofKey) -> String {
    let url = format!("{}{path}", stage.url);
    let proven = Proven {
        method: "POST",
        url: &url,
        token,
        nonce: None,
    };
    let now = stage.clock.now_ms().try_into().unwrap();
    key.prove(&proven, now).unwrap()
}

async fn join(stage: &Stage, token: &str) -> Reply {
    as_node(stage, "/v1/nodes/join", token, None, &[]).await
}

async fn renew(stage: &Stage, renewal: &str) -> Reply {
    as_node(stage, "/v1/nodes/renew", renewal, None, &[]).await
}

async fn get(stage: &Stage, path: &str, session: Option<&str>) -> Reply {
    request(stage, "GET", path, session, &[]).await
}

async fn request(
    stage: &Stage,
    method: &str,
    path: &str,
    session: Option<&str>,
    headers: &[(&str, &str)],
) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", stage.url));
    if let Some(session) = session {
        request = request.header("x-test-session", session);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(Full::<Bytes>::default()).unwrap()).await
}

fn text(reply: &Reply, name: &str) -> String {
    let body = reply.json();
    let text = body[name].as_str();
    text.unwrap_or_else(|| panic!("{name}: {reply:?}"))
        .to_owned()
}

/// Header and claims of a token.
fn read(token: &str) -> (Value, Value) {
    let part = |index: usize| {
        let part = BASE64.decode(token.split('.').nth(index).unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    (part(0), part(1))
}

/// The nodes of `acme` by their ids, with their states.
async fn states(stage: &Stage) -> HashMap<String, String> {
    let reply = get(stage, "/v1/nodes", Some(ADA)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    let nodes = body["nodes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes
        .map(|node| (text(&node["id"]), text(&node["state"])))
        .collect()
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
