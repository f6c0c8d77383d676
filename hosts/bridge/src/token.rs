//! `/oauth/token`: who asks, and for what. Each grant is a function of its own room.

use std::sync::Arc;

use axum::{Router, extract::State, routing::post};
use http::{Extensions, HeaderMap};

use crate::{
    app::App,
    config::GrantType,
    exchange,
    form::Form,
    machines, pairing, peer,
    refusal::{Code, Refusal},
    reply::Granted,
};

/// Where it is.
pub(crate) const PATH: &str = "/oauth/token";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route(PATH, post(token))
}

/// Grant types that are answered here, for the metadata.
pub(crate) const GRANTS: &[GrantType] = &[
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
];

async fn token(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Granted, Refusal> {
    let grant = form.get("grant_type");
    let grant = grant.ok_or(Refusal::request("`grant_type` is missing"))?;
    let grant = GRANTS.iter().find(|known| known.as_str() == grant);
    let grant = grant.ok_or(Refusal::new(
        Code::UnsupportedGrantType,
        "this grant type is not known here",
    ))?;
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    match grant {
        GrantType::ClientCredentials => machines::client_credentials(&app, &client, &form).await,
        GrantType::DeviceCode => pairing::poll(&app, &client, &form).await,
        GrantType::TokenExchange => exchange::token_exchange(&app, &client, &headers, &form).await,
        // Those of `GRANTS` have an arm.
        _ => Err(Refusal::new(Code::ServerError, "the grant is not built")),
    }
}
