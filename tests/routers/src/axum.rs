//! The axum backend.

use std::{fs, io, path::Path};

use anyhow::Result;
use axum::{
    Router,
    extract::Request,
    http::header,
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use countersign_host::{Gate, GateLayer};
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::routes::OPEN;

/// Serves HTTP/1.1 and HTTP/2 until stdin closes.
///
/// # Errors
/// The policy cannot be read, or a socket fails.
#[tokio::main(flavor = "current_thread")]
pub async fn serve(policy: &Path) -> Result<()> {
    let gate = Gate::builder().policy(fs::read(policy)?).build().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "{}",
        serde_json::json!({ "port": listener.local_addr()?.port() })
    );
    let stdin = async { tokio::io::stdin().read_to_end(&mut Vec::new()).await };
    let served = axum::serve(listener, router().layer(GateLayer::new(gate)));
    let ended: io::Result<()> = tokio::select! {
        served = served => served,
        read = stdin => read.map(|_| ()),
    };
    // The read of stdin may still block its thread.
    ended.map_err(Into::into)
}

fn router() -> Router {
    Router::new()
        .route("/hosted", any(by_host))
        .route("/public", named("public"))
        .route("/public/", named("public"))
        .route("/public/{*rest}", named("public"))
        .route("/items/{id}", named("item"))
        .route("/items/{id}/edit", named("edit"))
        .route("/admin", named("admin"))
        .route("/admin/", named("admin"))
        .route("/admin/{*rest}", named("admin"))
        .route("/Reports/{id}", named("report"))
        .route("/a%20b", named("space"))
        .route("/a@b:c", named("mail"))
        .route("/a@b:c/", named("mail"))
        .route("/a@b:c/{*rest}", named("mail"))
        .fallback_service(named("rest"))
}

fn named(name: &'static str) -> MethodRouter {
    any(async move |request: Request| say(name, &request))
}

/// axum does not route by host, so the application compares it.
async fn by_host(request: Request) -> Response {
    let field = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(field).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let is_open = host
        .strip_suffix('.')
        .unwrap_or(host)
        .eq_ignore_ascii_case(OPEN);
    say(if is_open { "hosted" } else { "rest" }, &request)
}

/// Answers with the name, or with `spoofed` if the handler gets an identity that
/// the gate has not set.
fn say(name: &'static str, request: &Request) -> Response {
    let is_spoofed = request
        .headers()
        .iter()
        .any(|(name, value)| name.as_str().replace('_', "-") == "x-auth-subject" && value != "ada");
    let name = if is_spoofed { "spoofed" } else { name };
    ([("x-handler", name)], format!("handler={name}")).into_response()
}
