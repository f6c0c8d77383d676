//! A device polls (RFC 8628 §3.4), and gets a join token when a person has approved.

use serde_json::Value;

use super::{settings, start::JOIN_SCOPE};
use crate::{
    app::App,
    clients::Client,
    config::{GrantType, NODE_PREFIX},
    form::Form,
    mint::{Class, Order},
    refusal::{Code, Refusal},
    reply::Granted,
    seal,
    store::{DeviceCodeRow, NodeRow},
};

/// The longest pause that a device is told to make. Each poll in time takes one step of
/// 5 seconds back.
const LONGEST_S: i64 = 60;

/// Answers one poll. Only the client that has begun gets an answer about its code.
pub(crate) async fn poll(app: &App, client: &Client, form: &Form) -> Result<Granted, Refusal> {
    let settings = settings(app)?;
    client.require(GrantType::DeviceCode)?;
    let code = form.get("device_code");
    let code = code.ok_or(Refusal::request("`device_code` is missing"))?;
    let found = app.store.device_code(&seal::hash(code)).await?;
    let invalid = Refusal::new(Code::InvalidGrant, "the device code is not good here");
    let row = found.filter(|row| row.client == client.id).ok_or(invalid)?;
    let now = app.clock.now_ms();
    if row.state == "used" {
        return Err(invalid);
    }
    if row.expires_at <= now {
        return Err(Refusal::new(
            Code::ExpiredToken,
            "the device code has expired",
        ));
    }
    let least_s = i64::from(settings.interval_s);
    let in_time = app
        .store
        .poll_code(&row.device_hash, now, least_s, LONGEST_S.max(least_s));
    if !in_time.await? {
        let description = "wait five seconds longer between two polls";
        return Err(Refusal::new(Code::SlowDown, description));
    }
    match &*row.state {
        "approved" => grant(app, &row, now).await?.ok_or(invalid),
        "denied" => Err(Refusal::new(Code::AccessDenied, "the request was denied")),
        _ => {
            let description = "nobody has approved yet";
            Err(Refusal::new(Code::AuthorizationPending, description))
        }
    }
}

/// The join token; `None` where another poll was first. It is made before the code is used
/// up: where it cannot be made, the device asks again.
async fn grant(app: &App, row: &DeviceCodeRow, now: i64) -> Result<Option<Granted>, Refusal> {
    let (Some(person), Some(tenant)) = (&row.person, &row.tenant) else {
        return Ok(None);
    };
    let node = NodeRow {
        id: format!("{NODE_PREFIX}{}", seal::random::<16>()?),
        tenant: tenant.clone(),
        name: row.device.clone(),
        client: row.client.clone(),
        person: person.clone(),
        scopes: row.scopes.clone(),
        audience: row.audience.clone(),
        cnf: row.cnf.clone(),
        state: "joining".to_owned(),
        created_at: now,
        seen_at: now,
        revoked_at: None,
    };
    let cnf = cnf(&node)?;
    let issuer = app.config.issuer.as_str();
    let scopes = [JOIN_SCOPE.to_owned()];
    let mut order = Order::new(Class::Njt, &node.id, issuer, &node.client);
    order.tenant = Some(&node.tenant);
    order.scopes = &scopes;
    order.cnf = cnf.as_ref();
    order.node = Some(&node.id);
    let issued = app.mint.issue(&order).await?;
    let taken = app.store.take_code(&row.device_hash, &node, now).await?;
    Ok(taken.then(|| Granted::of(token_type(&node), issued)))
}

/// `cnf` of a node's tokens. What cannot be read must not become an unbound token.
pub(super) fn cnf(node: &NodeRow) -> Result<Option<Value>, Refusal> {
    let cnf = node.cnf.as_deref().map(serde_json::from_str).transpose();
    cnf.map_err(|_| {
        tracing::error!(node = node.id, "a node in the database is damaged");
        Refusal::unavailable()
    })
}

pub(super) fn token_type(node: &NodeRow) -> &'static str {
    match node.cnf {
        Some(_) => "DPoP",
        None => "Bearer",
    }
}
