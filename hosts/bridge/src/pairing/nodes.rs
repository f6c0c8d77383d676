//! `/v1/nodes`: a person sees the nodes of the organisation, and revokes one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{page::is_csrf, revoke_node, settings};
use crate::{
    app::App,
    refusal::{Code, Refusal},
    session::SignedIn,
    store::NodeRow,
};

/// Nodes in one answer.
const PAGE_NODES: usize = 200;

/// The text of the session that an unsafe request repeats.
const CSRF: &str = "x-csrf-token";

#[derive(Deserialize)]
pub(super) struct Which {
    /// The last id of the answer before.
    after: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refusal> {
    let (_, tenant) = allowed(&app, &headers).await?;
    let unreadable = |_| Refusal::request("the query cannot be read");
    let Query(Which { after }) = which.map_err(unreadable)?;
    let after = after.unwrap_or_default();
    let nodes = app.store.nodes(&tenant, &after, PAGE_NODES as i64).await?;
    let next = (nodes.len() == PAGE_NODES)
        .then(|| nodes.last().map(|node| node.id.clone()))
        .flatten();
    let nodes: Vec<_> = nodes.iter().map(shown).collect();
    let mut response = Json(json!({ "nodes": nodes, "next": next })).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (signed_in, tenant) = allowed(&app, &headers).await?;
    let csrf = headers.get(CSRF).and_then(|value| value.to_str().ok());
    if !is_csrf(&signed_in, &headers, csrf) {
        let description = "`x-csrf-token` is missing, or is not that of the session";
        return Err(Refusal::request(description));
    }
    let node = app.store.node(&id).await?;
    // One of another organisation is as one that is not there.
    let Some(node) = node.filter(|node| node.tenant == tenant) else {
        return Ok(StatusCode::NOT_FOUND);
    };
    revoke_node(&app, &node, &signed_in.person, "revoked by a person").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is signed in with one of the roles, and for which organisation.
async fn allowed(app: &App, headers: &HeaderMap) -> Result<(SignedIn, String), Refusal> {
    let settings = settings(app)?;
    let signed_in = app.sessions.who(headers).await?;
    let signed_in = signed_in.ok_or(Refusal::new(Code::InvalidToken, "sign in first"))?;
    let has_role = |role: &String| settings.roles.contains(role);
    match &signed_in.tenant {
        Some(tenant) if signed_in.roles.iter().any(has_role) => {
            let tenant = tenant.clone();
            Ok((signed_in, tenant))
        }
        _ => {
            let description = "this needs another role";
            Err(Refusal::new(Code::InsufficientScope, description))
        }
    }
}

fn shown(node: &NodeRow) -> Value {
    json!({
        "id": node.id,
        "name": node.name,
        "client": node.client,
        "person": node.person,
        "scopes": node.scopes,
        "audience": node.audience,
        "is_bound": node.cnf.is_some(),
        "state": node.state,
        "created_at_ms": node.created_at,
        "seen_at_ms": node.seen_at,
        "revoked_at_ms": node.revoked_at,
    })
}
