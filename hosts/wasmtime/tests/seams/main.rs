//! Where the gate meets axum, over raw sockets: whatever handler runs, the gate
//! has judged by that handler's rule, or has denied.

mod headers;
#[path = "../random/mod.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::time::Duration;

use axum::{Router, extract::Request, routing::any};
use countersign_host::{Gate, Grant};
use http_body_util::BodyExt;
use serde_json::json;
use support::{Issuer, service_gate};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

async fn gate(issuer: &Issuer) -> Gate {
    let rules = json!([
        { "path": "/public/**", "public": true },
        { "path": "/admin/**", "require": { "scopes": ["admin"] } },
        { "path": "/read/**", "require": { "scopes": ["read"] } },
        { "hosts": ["open.example.com"], "path": "/hosted", "public": true },
    ]);
    service_gate(issuer, &rules, &json!({ "x-auth-subject": "subject" })).await
}

/// A handler that answers with its name and everything that it can read.
fn echo(name: &'static str) -> axum::routing::MethodRouter {
    any(async move |request: Request| {
        let method = request.method().clone();
        let mut seen = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect::<Vec<_>>();
        let caller = request
            .extensions()
            .get::<Grant>()
            .and_then(|grant| grant.principal.clone());
        let body = request.into_body().collect().await.unwrap();
        for (name, value) in body.trailers().into_iter().flatten() {
            seen.push(format!("trailer {name}: {}", value.to_str().unwrap()));
        }
        let caller = caller.and_then(|caller| caller.subject.clone());
        format!(
            "handler={name} method={method} caller={caller:?} {}\n",
            seen.join("; ")
        )
    })
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// The whole answer to these bytes.
async fn raw(address: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Whether a handler may have run. The fallback has no rule of its own: it may
/// where a path without another reading begins as a rule's does.
fn may_run(answer: &str, target: &str, admitted: &[&str]) -> bool {
    match handler(answer) {
        None => true,
        Some("fallback") => {
            let target = target
                .strip_prefix("http://app.example.com")
                .unwrap_or(target);
            let path = target.split(['?', '#']).next().unwrap_or_default();
            let is_plain = !path.contains(['\\', ';', '%']) && !path.contains("..");
            let begins = |name: &&str| format!("{path}/").starts_with(&format!("/{name}/"));
            is_plain && !path.contains("//") && admitted.iter().any(begins)
        }
        Some("hosted") => answer.contains("host: open.example.com"),
        Some(name) => admitted.contains(&name),
    }
}

/// A request without a body: its first line and its fields.
fn request_text(line: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: app.example.com\r\nconnection: close\r\n{fields}\r\n")
}

fn handler(answer: &str) -> Option<&str> {
    answer.split_once("handler=")?.1.split(' ').next()
}

fn router() -> Router {
    Router::new()
        .route("/public", echo("public"))
        .route("/public/{*rest}", echo("public"))
        .route("/admin", echo("admin"))
        .route("/admin/{*rest}", echo("admin"))
        .nest(
            "/read",
            Router::new()
                .route("/public", echo("read"))
                .route("/admin", echo("read")),
        )
        .route("/hosted", echo("hosted"))
        .fallback_service(echo("fallback"))
}
