//! A node joins: its join token becomes, once, an access token, and what it renews with.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header, request::Parts};

use super::{
    asked,
    poll::{cnf, token_type},
    revoke_node, settings,
};
use crate::{
    app::App,
    audit::Entry,
    clients::Client,
    config::GrantType,
    form::Form,
    mint::{Class, Issued, Order},
    node_gate, peer,
    refusal::{Code, Refusal},
    reply::Granted,
    seal,
    store::{NodeRow, RenewalHashes},
};

pub(super) async fn join(
    State(app): State<Arc<App>>,
    parts: Parts,
    form: Form,
) -> Result<Response, Refusal> {
    let gate = app.node_gate.as_ref().ok_or(Refusal::unavailable());
    let settings = settings(&app)?;
    let principal = gate?.verify(&parts).await?;
    let invalid = Refusal::new(Code::InvalidToken, "the token is not good here");
    let id = principal.subject.as_deref().ok_or(invalid)?;
    let node = app.store.node(id).await?.ok_or(invalid)?;
    match &*node.state {
        "joining" => {}
        "active" => return Err(used_twice(&app, &node).await?),
        _ => return Err(invalid),
    }
    let client = authenticate(&app, &node, &parts, &form).await?;
    client.require(GrantType::DeviceCode)?;
    let scopes = asked(&node, &form)?;
    let wants_cookie = wants_cookie(&node, &form)?;
    let issued = issue(&app, &node, &scopes).await?;
    let renewal = match client.require(GrantType::RefreshToken) {
        Ok(()) => Some(node_gate::new_renewal(None)?),
        Err(_) => None,
    };
    let now = app.clock.now_ms();
    let hashes = renewal
        .as_deref()
        .map(|renewal| hashes(renewal, now, settings.renewal_s))
        .transpose()?;
    // Before it counts: what cannot be recorded must not happen.
    app.audit
        .record(&Entry {
            event: "node.joined",
            actor: Some(&node.id),
            subject: Some(&node.id),
            tenant: Some(&node.tenant),
            client: Some(&node.client),
            ..Entry::default()
        })
        .await?;
    if !app.store.join_node(&node.id, hashes.as_ref(), now).await? {
        return Err(used_twice(&app, &node).await?);
    }
    Ok(answer(&app, &node, issued, renewal, wants_cookie))
}

/// Somebody else has the join token too (RFC 6749 §4.1.2): what came of it ends.
async fn used_twice(app: &App, node: &NodeRow) -> Result<Refusal, Refusal> {
    revoke_node(app, node, &node.id, "join token used twice").await?;
    let description = "the token was used before: the node is revoked";
    Ok(Refusal::new(Code::InvalidToken, description))
}

/// The client of a node. One that has credentials shows them, in the form: `authorization`
/// has the token.
pub(super) async fn authenticate(
    app: &App,
    node: &NodeRow,
    parts: &Parts,
    form: &Form,
) -> Result<Arc<Client>, Refusal> {
    let client = app.clients.find(&node.client).await?;
    let client = client.ok_or(Refusal::client())?;
    if client.is_public() {
        return Ok(client);
    }
    let proxies = &app.config.trusted_proxies;
    let peer = peer::address(&parts.extensions, &parts.headers, proxies);
    let shown = app
        .clients
        .authenticate(&HeaderMap::new(), form, peer)
        .await?;
    match shown.id == node.client {
        true => Ok(shown),
        false => Err(Refusal::client()),
    }
}

/// A node's access token.
pub(super) async fn issue(app: &App, node: &NodeRow, scopes: &[String]) -> Result<Issued, Refusal> {
    let cnf = cnf(node)?;
    let mut order = Order::new(Class::Nat, &node.id, &node.audience, &node.client);
    order.tenant = Some(&node.tenant);
    order.scopes = scopes;
    order.cnf = cnf.as_ref();
    order.node = Some(&node.id);
    app.mint.issue(&order).await
}

pub(super) fn hashes(renewal: &str, now: i64, life_s: u32) -> Result<RenewalHashes, Refusal> {
    let family = node_gate::family_hash(renewal).ok_or(Refusal::unavailable())?;
    Ok(RenewalHashes {
        family,
        whole: seal::hash(renewal),
        expires_at: now + i64::from(life_s) * 1000,
    })
}

/// Whether the token is to come as a cookie too, for pages of the node itself that are
/// behind one address with the bridge. A cookie cannot prove a key.
pub(super) fn wants_cookie(node: &NodeRow, form: &Form) -> Result<bool, Refusal> {
    match form.get("cookie") {
        None => Ok(false),
        Some("node_session") if node.cnf.is_none() => Ok(true),
        Some("node_session") => {
            let description = "a token that is bound to a key cannot be in a cookie";
            Err(Refusal::request(description))
        }
        Some(_) => Err(Refusal::request("this `cookie` is not known")),
    }
}

pub(super) fn answer(
    app: &App,
    node: &NodeRow,
    issued: Issued,
    renewal: Option<String>,
    wants_cookie: bool,
) -> Response {
    let secure = match app.config.issuer.is_http() {
        true => "",
        false => "; Secure",
    };
    let cookie = wants_cookie.then(|| {
        let (token, life_s) = (&issued.token, issued.expires_in_s);
        format!("node_session={token}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{secure}")
    });
    let mut granted = Granted::of(token_type(node), issued).with("node", node.id.as_str());
    if let Some(renewal) = renewal {
        granted = granted.with("refresh_token", renewal);
    }
    let mut response = granted.into_response();
    let cookie = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
