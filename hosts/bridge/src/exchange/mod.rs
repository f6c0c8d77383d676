//! What a person has shown becomes a token of the platform: never wider, never longer.

mod act;
mod grant;
mod session;
mod subject;

use std::sync::Arc;

use axum::{Router, routing::post};

use crate::{
    app::App,
    clients::Client,
    refusal::{Code, Refusal},
};

pub(crate) use grant::token_exchange;

/// RFC 8693 §3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/auth/session/exchange", post(session::exchange))
}

/// The scopes of a subject's token: what is asked for, if the client and the subject may have
/// it; or all that both may have.
fn scopes(
    client: &Client,
    possible: &[String],
    asked: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let mut scopes = client.scopes(asked)?;
    let may = |scope: &String| possible.contains(scope);
    if asked.is_none() {
        scopes.retain(may);
    } else if !scopes.iter().all(may) {
        let description = "a scope is asked for that the subject does not have";
        return Err(Refusal::new(Code::InvalidScope, description));
    }
    Ok(scopes)
}
