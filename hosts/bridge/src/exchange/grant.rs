//! The grant of token exchange (RFC 8693) at `/oauth/token`.
//!
//! A subject token or an actor token that is not good, whatever the reason, is
//! `invalid_request` (§2.2.2).

use http::HeaderMap;
use serde_json::json;

use super::{
    ACCESS_TOKEN, JWT, act, scopes,
    subject::{self, Subject},
};
use crate::{
    app::App,
    clients::{self, Client},
    config::{GrantType, Pairs},
    form::Form,
    mint::{Class, Issued, Order},
    refusal::Refusal,
    reply::Granted,
    revocation::Revoke,
    subjects::{Shown, Source},
};

/// A token for the subject of another token: for one audience, with no more than the client
/// asks for, the client may have and the subject has, and no longer.
pub(crate) async fn token_exchange(
    app: &App,
    client: &Client,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Granted, Refusal> {
    client.require(GrantType::TokenExchange)?;
    // Whoever finds a token could exchange it (§5).
    if client.is_public() {
        return Err(Refusal::client());
    }
    require_types(form)?;
    let token = form.get("subject_token");
    let token = token.ok_or(Refusal::request("`subject_token` is missing"))?;
    let shown = app.subjects.subject(token, headers).await?;
    let audience = clients::audience(possible(client, &shown.source)?, form)?;
    if let Source::App(id, _) = &shown.source {
        // Before anything else happens: what goes wrong later needs another one.
        app.subjects.use_once(id, &shown).await?;
    }
    let actor = match form.get("actor_token") {
        None => None,
        Some(token) => Some(act::actor(app, token).await?),
    };
    act::require_may_act(app, client, &shown, actor.as_ref())?;
    let act = act::chain(app, &shown, actor.as_ref())?;
    let subject = subject::of(app, &shown, form.get("tenant")).await?;
    // A client of one organisation has no tokens for another.
    if client.tenant.is_some() && client.tenant != subject.tenant {
        return Err(Refusal::request("the client is another organisation's"));
    }
    let scopes = scopes(client, &subject.scopes, form.get("scope"))?;
    let mut ends_at = subject.ends_at;
    if let Some(actor) = &actor {
        ends_at = ends_at.min(actor.ends_at);
    }
    if ends_at.div_euclid(1000) <= app.clock.now_ms().div_euclid(1000) {
        return Err(Refusal::request(
            "what the token would be made from has ended",
        ));
    }
    let mut order = Order::new(Class::Pat, &subject.id, audience, &client.id);
    order.tenant = subject.tenant.as_deref();
    order.roles = &subject.roles;
    order.scopes = &scopes;
    order.act = act.as_ref();
    order.cnf = shown.claims.get("cnf");
    order.not_after = Some(ends_at);
    order.session = subject.session.as_deref();
    order.parent = subject.parent.as_deref();
    if let Some(auth_time) = auth_time(app, &shown) {
        order
            .claims
            .insert("auth_time".to_owned(), json!(auth_time));
    }
    let issued = app.mint.issue(&order).await?;
    require_still(app, client, &shown, &subject, &issued).await?;
    Ok(granted(issued, order.cnf.is_some()))
}

/// Types of tokens (§3) that are shown and asked for. The gate finds out by itself what a
/// token is: what the client calls it changes nothing.
fn require_types(form: &Form) -> Result<(), Refusal> {
    let is_known = |kind: &str| [ACCESS_TOKEN, JWT].contains(&kind);
    match form.get("subject_token_type") {
        None => return Err(Refusal::request("`subject_token_type` is missing")),
        Some(kind) if is_known(kind) => {}
        Some(_) => return Err(Refusal::request("this `subject_token_type` is not taken")),
    }
    match (form.get("actor_token"), form.get("actor_token_type")) {
        (None, None) => {}
        (Some(_), Some(kind)) if is_known(kind) => {}
        (Some(_), Some(_)) => {
            return Err(Refusal::request("this `actor_token_type` is not taken"));
        }
        _ => {
            let description = "`actor_token` and `actor_token_type` come together";
            return Err(Refusal::request(description));
        }
    }
    match form.get("requested_token_type") {
        None => Ok(()),
        Some(kind) if is_known(kind) => Ok(()),
        Some(_) => Err(Refusal::request("tokens of this type are not made here")),
    }
}

/// For whom this client may exchange a token of this source.
fn possible<'a>(client: &Client, source: &'a Source) -> Result<&'a [String], Refusal> {
    let refused = Refusal::request("this client may not exchange this token");
    let of_pairs = |pairs: &'a Pairs| pairs.get(&client.id).map(Vec::as_slice);
    match source {
        Source::Issuer(issuer) => of_pairs(&issuer.clients).ok_or(refused),
        Source::Own(own) => of_pairs(&own.clients).ok_or(refused),
        Source::App(id, app) if *id == client.id => Ok(&app.audiences),
        Source::App(..) => Err(refused),
    }
}

/// When the subject signed in, as far as that is known: not in the future.
fn auth_time(app: &App, shown: &Shown) -> Option<i64> {
    let now_s = app.clock.now_ms().div_euclid(1000);
    shown.seconds("auth_time").map(|seconds| seconds.min(now_s))
}

/// Revokes the new token if what it was made from does not count any more: a revocation that
/// came meanwhile has not seen it.
async fn require_still(
    app: &App,
    client: &Client,
    shown: &Shown,
    subject: &Subject,
    issued: &Issued,
) -> Result<(), Refusal> {
    let now = app.clock.now_ms();
    let store = &app.store;
    let is_good = store.is_good_subject(&subject.id, shown.issued_at(), now);
    let mut is_good = is_good.await?;
    if let Some(parent) = &subject.parent {
        is_good &= store.parent(parent, now).await?.is_some();
    }
    if let (true, Some(tenant)) = (subject.is_member, &subject.tenant) {
        is_good &= app.members.of(&subject.id, tenant).await?.is_some();
    }
    if is_good {
        return Ok(());
    }
    let revoke = Revoke::Token(issued.jti.clone());
    app.revocations
        .revoke(&revoke, &client.id, "exchange")
        .await?;
    Err(Refusal::request("the subject token is not good here"))
}

fn granted(issued: Issued, is_bound: bool) -> Granted {
    let token_type = match is_bound {
        true => "DPoP",
        false => "Bearer",
    };
    Granted::of(token_type, issued).with("issued_token_type", ACCESS_TOKEN)
}
