//! `POST /auth/session/exchange`: a session becomes a platform access token.

use std::sync::Arc;

use axum::extract::State;
use http::{Extensions, HeaderMap};
use serde_json::json;

use super::{ACCESS_TOKEN, scopes};
use crate::{
    app::App,
    config::GrantType,
    form::Form,
    mint::{Class, Order},
    peer,
    people::nobody,
    refusal::{Code, Refusal},
    reply::Granted,
};

/// Two are needed: the browser's session, and a client that may have the audience.
pub(super) async fn exchange(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Granted, Refusal> {
    let csrf = form.get("csrf");
    let session = app.people.require_own(&headers, csrf).await?;
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    client.require(GrantType::TokenExchange)?;
    let audience = client.audience(&form)?;
    let tenant = app.people.tenant(&session, form.get("tenant"))?;
    // A client of one organisation has no tokens for another.
    let is_others = client.tenant.as_deref().is_some_and(|own| own != tenant);
    if is_others {
        let description = "this client is for another organisation";
        return Err(Refusal::new(Code::AccessDenied, description));
    }
    let membership = app.people.member(&session, tenant).await?;
    let scopes = scopes(&client, &membership.scopes, form.get("scope"))?;
    let mut order = Order::new(Class::Pat, &session.person, audience, &client.id);
    order.tenant = Some(tenant);
    order.roles = &membership.roles;
    order.scopes = &scopes;
    order.not_after = Some(session.expires_at);
    order.session = Some(&session.hash);
    let auth_time = json!(session.auth_time.div_euclid(1000));
    order.claims.insert("auth_time".to_owned(), auth_time);
    let issued = app.mint.issue(&order).await?;
    if !app.sessions.goes_on(&session).await? {
        return Err(nobody());
    }
    Ok(Granted::bearer(issued).with("issued_token_type", ACCESS_TOKEN))
}
