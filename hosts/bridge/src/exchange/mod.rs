//! What a person has shown becomes a token of the platform: never wider, never longer.

mod session;

use std::sync::Arc;

use axum::{Router, routing::post};

use crate::{
    app::App,
    clients::Client,
    members::Membership,
    refusal::{Code, Refusal},
};

/// RFC 8693 §3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/auth/session/exchange", post(session::exchange))
}

/// The scopes of a member's token: what is asked for, if the client and the roles may have
/// it; or all that both may have.
fn scopes(
    client: &Client,
    membership: &Membership,
    asked: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let mut scopes = client.scopes(asked)?;
    let may = |scope: &String| membership.scopes.contains(scope);
    if asked.is_none() {
        scopes.retain(may);
    } else if !scopes.iter().all(may) {
        let description = "a scope is asked for that no role of this member has";
        return Err(Refusal::new(Code::InvalidScope, description));
    }
    Ok(scopes)
}
