//! `/oauth/introspect` (RFC 7662): a service without a gate asks about a token. The answer
//! is made by the decision server's code.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use http::{Extensions, HeaderMap};

use crate::{app::App, clients::Client, form::Form, own::OwnToken, peer, refusal::Refusal};

/// Where it is.
pub(crate) const PATH: &str = "/oauth/introspect";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route(PATH, post(introspect))
}

async fn introspect(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Refusal> {
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    if client.is_public() {
        // Anybody could try out stolen tokens (§4).
        return Err(Refusal::client());
    }
    let token = form.get("token");
    let token = token.ok_or(Refusal::request("`token` is missing"))?;
    let (decision, own) = app.own.read(token).await?;
    let seen = own.filter(|own| may_see(&client, own)).map(|_| &decision);
    let answer: http::Response<_> = countersign_server::introspected(seen);
    Ok(answer.map(Body::new).into_response())
}

/// A token for somebody else, or of another tenant, is not active for this client.
fn may_see(client: &Client, own: &OwnToken) -> bool {
    let is_for = client.audiences.contains(&own.audience);
    let tenant = own.principal.tenant.as_deref();
    is_for
        && client
            .tenant
            .as_deref()
            .is_none_or(|own| tenant == Some(own))
}
