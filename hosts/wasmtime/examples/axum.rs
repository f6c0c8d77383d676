//! An axum service behind a gate:
//! `cargo run -p countersign-host --example axum -- policy.json`.

use std::{env, error::Error, fs, process::ExitCode};

use axum::{Extension, Json, Router, extract::Path, routing::get};
use countersign_host::{Gate, GateLayer, Grant};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = serve().await else {
        return ExitCode::SUCCESS;
    };
    // As text: each problem of a policy is on a line of its own.
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("which policy? give its path")?;
    let gate = Gate::builder().policy(fs::read(path)?).build().await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(gate)).await?)
}

/// The layer goes on last: around every route, and around what is not found.
pub fn app(gate: Gate) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/whoami", get(whoami))
        .route("/orgs/{org}/members", get(members))
        .layer(GateLayer::new(gate))
}

/// The grant says who calls.
async fn whoami(Extension(grant): Extension<Grant>) -> Json<Value> {
    let caller = grant.principal.as_deref();
    Json(json!({
        "subject": caller.and_then(|caller| caller.subject.as_deref()),
        "tenant": caller.and_then(|caller| caller.tenant.as_deref()),
        "scopes": caller.map(|caller| &caller.scopes),
    }))
}

/// Nothing to check here: the policy binds `{org}` to the token's tenant.
async fn members(Path(org): Path<String>) -> Json<Value> {
    Json(json!({ "org": org, "members": ["ada", "grace"] }))
}
