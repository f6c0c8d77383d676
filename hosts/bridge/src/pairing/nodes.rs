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

use super::{revoke_node, settings};
use crate::{
    app::App,
    refusal::{Refusal, Refused},
    store::NodeRow,
};

/// Nodes in one answer.
const PAGE_NODES: usize = 200;

#[derive(Deserialize)]
pub(super) struct Which {
    /// The last id of the answer before.
    after: Option<String>,
    /// For a session that is not for one organisation alone.
    tenant: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refused> {
    let settings = settings(&app)?;
    let Which { after, tenant } = read(which)?;
    let session = app.people.require(&headers).await?;
    let tenant = app
        .people
        .acting(&session, tenant.as_deref(), &settings.roles)
        .await?;
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
    which: Result<Query<Which>, QueryRejection>,
) -> Result<StatusCode, Refused> {
    let settings = settings(&app)?;
    let Which { tenant, .. } = read(which)?;
    let session = app.people.require_own(&headers, None).await?;
    let tenant = app
        .people
        .acting(&session, tenant.as_deref(), &settings.roles)
        .await?;
    let node = app.store.node(&id).await?;
    // One of another organisation is as one that is not there.
    let Some(node) = node.filter(|node| node.tenant == tenant) else {
        return Ok(StatusCode::NOT_FOUND);
    };
    revoke_node(&app, &node, &session.person, "revoked by a person").await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(which: Result<Query<Which>, QueryRejection>) -> Result<Which, Refusal> {
    let unreadable = |_| Refusal::request("the query cannot be read");
    let Query(which) = which.map_err(unreadable)?;
    Ok(which)
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
