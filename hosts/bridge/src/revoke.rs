//! `/revocations.json` for gates, and `/oauth/revoke` (RFC 7009) for clients.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};

use crate::{app::App, form::Form, peer, refusal::Refusal, revocation::Revoke, seal};

/// What gates fetch.
const DOCUMENT: &str = "/revocations.json";

/// What clients ask.
pub(crate) const PATH: &str = "/oauth/revoke";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(DOCUMENT, get(document))
        .route(PATH, post(revoke))
}

async fn document(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let snapshot = app.revocations.document().await?;
    let max_age_s = app.config.revocations.max_age_s;
    let cache_control = HeaderValue::from_str(&format!("public, max-age={max_age_s}"));
    let cache_control = cache_control.unwrap_or(HeaderValue::from_static("no-store"));
    Ok(snapshot.response(&headers, cache_control))
}

/// A client revokes a token that it was given. Every other one is answered alike (§2.2):
/// the client learns nothing about it, and it stays as it is.
async fn revoke(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Refusal> {
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    let token = form.get("token");
    let token = token.ok_or(Refusal::request("`token` is missing"))?;
    // The hint is not needed: no token of one kind can be taken for one of the other.
    let what = if token.contains('.') {
        let (_, own) = app.own.read(token).await?;
        let own = own.filter(|own| own.client == client.id);
        own.map(|own| Revoke::Token(own.jti))
    } else {
        let hash = seal::hash(token);
        let node = app.store.node_of_renewal(&hash, &client.id).await?;
        node.map(Revoke::Node)
    };
    if let Some(what) = what {
        app.revocations.revoke(&what, &client.id, "client").await?;
    }
    let no_store = HeaderValue::from_static("no-store");
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, no_store)]).into_response())
}
