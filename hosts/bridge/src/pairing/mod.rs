//! Pairing of nodes: the device authorization grant (RFC 8628), and a node's life after it.
//!
//! A device asks for a code ([`start`]), a person approves it at a page ([`page`]), the
//! device polls ([`poll`]) and gets a join token, with which it joins ([`join`]). From then
//! on it renews ([`renew`]), until a person revokes it ([`nodes`]).

mod code;
mod join;
mod key;
mod nodes;
mod page;
mod poll;
mod renew;
mod start;
mod throttle;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{delete, get, post},
};
use http::{Extensions, HeaderMap};

use crate::{
    app::App,
    config::Pairing,
    form::Form,
    node_gate, peer,
    refusal::{Code, Refusal},
    reply::Granted,
    revocation::Revoke,
    store::NodeRow,
};

pub(crate) use poll::poll;

/// Where a device begins (RFC 8628 §3.1).
pub(crate) const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";

/// The page for people.
const PAGE: &str = "/pair";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/pair/start", post(start::start))
        .route(DEVICE_AUTHORIZATION, post(start::start))
        .route("/pair/poll", post(short_poll))
        .route(PAGE, get(page::show).post(page::decide))
        .route(node_gate::JOIN, post(join::join))
        .route(node_gate::RENEW, post(renew::renew))
        .route("/v1/nodes", get(nodes::list))
        .route("/v1/nodes/{id}", delete(nodes::revoke))
}

/// [`poll`] without `grant_type`.
async fn short_poll(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Result<Granted, Refusal> {
    let peer = peer::address(&extensions, &headers, &app.config.trusted_proxies);
    let client = app.clients.authenticate(&headers, &form, peer).await?;
    poll(&app, &client, &form).await
}

/// The settings, where there is pairing.
fn settings(app: &App) -> Result<&Pairing, Refusal> {
    app.config.pairing.as_ref().ok_or(Refusal::new(
        Code::UnsupportedGrantType,
        "nodes are not paired here",
    ))
}

/// The scopes that somebody asks for of those that there are (RFC 6749 §6): never more.
fn narrowed(known: &[String], asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else {
        return Ok(known.to_vec());
    };
    let asked: Vec<_> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    if asked
        .iter()
        .any(|scope| !known.iter().any(|known| known == scope))
    {
        let description = "a scope is asked for that was not approved";
        return Err(Refusal::new(Code::InvalidScope, description));
    }
    let narrowed = known.iter().filter(|known| asked.contains(&known.as_str()));
    Ok(narrowed.cloned().collect())
}

/// What was asked for in a form of a node: its audience, and scopes within its own.
fn asked(node: &NodeRow, form: &Form) -> Result<Vec<String>, Refusal> {
    let mut targets = form.all("audience").chain(form.all("resource"));
    if targets.any(|target| target != node.audience) {
        let description = "the tokens of this node are for another audience";
        return Err(Refusal::new(Code::InvalidTarget, description));
    }
    narrowed(&node.scopes, form.get("scope"))
}

/// Ends a node for good.
async fn revoke_node(
    app: &App,
    node: &NodeRow,
    actor: &str,
    reason: &'static str,
) -> Result<(), Refusal> {
    let what = Revoke::Node(node.id.clone());
    app.revocations.revoke(&what, actor, reason).await
}

#[cfg(test)]
mod tests {
    use super::narrowed;

    #[test]
    fn scopes_become_fewer_and_never_more() {
        let known = ["node:a".to_owned(), "node:b".to_owned()];
        assert_eq!(narrowed(&known, None).unwrap(), known);
        assert_eq!(
            narrowed(&known, Some("node:b  node:b")).unwrap(),
            ["node:b"]
        );
        assert!(narrowed(&known, Some("node:b node:c")).is_err());
    }
}
