//! A node renews: what it renews with is good once, and one that comes again says that
//! somebody else has it.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, header, request::Parts};

use super::{
    asked,
    join::{answer, authenticate, hashes, issue, wants_cookie},
    revoke_node, settings,
};
use crate::{
    app::App,
    config::GrantType,
    form::Form,
    node_gate,
    refusal::{Code, Refusal},
    seal,
};

pub(super) async fn renew(
    State(app): State<Arc<App>>,
    parts: Parts,
    form: Form,
) -> Result<Response, Refusal> {
    let gate = app.node_gate.as_ref().ok_or(Refusal::unavailable());
    let settings = settings(&app)?;
    let principal = gate?.verify(&parts).await?;
    let invalid = Refusal::new(Code::InvalidToken, "the token is not good here");
    let id = principal.subject.as_deref().ok_or(invalid)?;
    let node = app.store.node(id).await?;
    let node = node.filter(|node| node.state == "active").ok_or(invalid)?;
    let client = authenticate(&app, &node, &parts, &form).await?;
    client.require(GrantType::RefreshToken)?;
    let scopes = asked(&node, &form)?;
    let wants_cookie = wants_cookie(&node, &form)?;
    let old = presented(&parts.headers).ok_or(invalid)?;
    let next = node_gate::new_renewal(Some(old))?;
    let now = app.clock.now_ms();
    let hashes = hashes(&next, now, settings.renewal_s)?;
    // Before the old one is used up: where it cannot be made, the node asks again.
    let issued = issue(&app, &node, &scopes).await?;
    app.store.see_node(&node.id, now).await?;
    // The last that can fail: the old one is used up only where the node gets the new one.
    let old = seal::hash(old);
    if !app.store.rotate_renewal(&old, &hashes, now).await? {
        revoke_node(&app, &node, &node.id, "renewal used twice").await?;
        let description = "the token was used before: the node is revoked";
        return Err(Refusal::new(Code::InvalidToken, description));
    }
    Ok(answer(&app, &node, issued, Some(next), wants_cookie))
}

/// The text that the gate has verified: it has let one field through, of one of two
/// schemes.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (_, token) = field.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    node_gate::family_hash(token).map(|_| token)
}
