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
    refusal::{Code, Refusal},
    reply::Granted,
};

/// The longest name of an organisation.
const TENANT_BYTES: usize = 128;

/// Two are needed: the browser's session, and a client that may have the audience.
pub(super) async fn exchange(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Granted, Refusal> {
    let session = app.sessions.require(&headers).await?;
    app.sessions
        .require_own(&session, &headers, form.get("csrf"))?;
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    client.require(GrantType::TokenExchange)?;
    let audience = client.audience(&form)?;
    let tenant = tenant(session.tenant.as_deref(), form.get("tenant"))?;
    // A client of one organisation has no tokens for another.
    let is_others = client.tenant.as_deref().is_some_and(|own| own != tenant);
    let nobody = Refusal::new(Code::AccessDenied, "this person is no member of it");
    if is_others {
        return Err(nobody);
    }
    let membership = app.members.of(&session.person, tenant).await?;
    let membership = membership.ok_or(nobody)?;
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
        return Err(Refusal::new(Code::InvalidToken, "nobody is signed in"));
    }
    Ok(Granted::bearer(issued).with("issued_token_type", ACCESS_TOKEN))
}

/// The organisation that the token is for: that of the provider, or the one that is asked
/// for.
fn tenant<'a>(own: Option<&'a str>, asked: Option<&'a str>) -> Result<&'a str, Refusal> {
    match (own, asked) {
        (Some(own), None) => Ok(own),
        (Some(own), Some(asked)) if own == asked => Ok(own),
        (Some(_), Some(_)) => {
            let description = "this person has signed in to another one";
            Err(Refusal::new(Code::AccessDenied, description))
        }
        (None, Some(asked)) if asked.len() <= TENANT_BYTES => Ok(asked),
        (None, _) => Err(Refusal::request("say the `tenant`")),
    }
}
