//! `/v1/providers`: an organisation connects its own OpenID provider. It is validated, then
//! tested by a person who signs in by it, and then active.

mod wanted;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    audit::Entry,
    config::Organisations,
    form,
    providers::{PREFIX, Provider, Settings},
    refusal::{Code, Refusal, Refused},
    reply, seal,
    sessions::Session,
    store::{ProviderRow, ProviderState},
};

use wanted::Wanted;

const PROVIDERS: &str = "/v1/providers";
const PROVIDER: &str = "/v1/providers/{id}";
const ACTIVATE: &str = "/v1/providers/{id}/activate";
const DISABLE: &str = "/v1/providers/{id}/disable";

/// Providers that a person tries to connect in an hour: each try asks an address.
const AN_HOUR: i64 = 20;

/// The longest list. There are not more than `per_tenant`.
const LISTED: i64 = 1000;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(PROVIDERS, get(list).post(create))
        .route(PROVIDER, delete(remove))
        .route(ACTIVATE, post(activate))
        .route(DISABLE, post(disable))
}

/// The provider of this id, if the person may look after it.
///
/// # Errors
/// There is none, or it is another organisation's: nobody learns which.
pub(crate) async fn own(app: &App, session: &Session, id: &str) -> Result<ProviderRow, Refused> {
    let settings = settings(app)?;
    let refusal = Refusal::request("there is no such provider");
    let none = Refused(StatusCode::NOT_FOUND, refusal);
    let row = app.store.provider(id).await?.ok_or(none)?;
    let acting = app
        .people
        .acting(session, Some(&row.tenant), &settings.roles);
    match acting.await {
        Ok(_) => Ok(row),
        Err(refusal) if refusal.code == Code::AccessDenied => Err(none),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Records what a person has done with a provider.
pub(crate) async fn record(
    app: &App,
    event: &'static str,
    row: &ProviderRow,
    person: &Session,
    sessions: Option<u64>,
) -> Result<(), Refusal> {
    let mut entry = Entry {
        event,
        actor: Some(&person.person),
        tenant: Some(&row.tenant),
        ..Entry::default()
    };
    let detail = &mut entry.detail;
    detail.insert("provider".to_owned(), json!(row.id));
    if let Some(sessions) = sessions {
        detail.insert("sessions".to_owned(), json!(sessions));
    }
    app.audit.record(&entry).await
}

async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let organisations = settings(&app)?;
    let mut wanted: Wanted = form::json(&headers, &body, wanted::FORM)?;
    let person = app.people.require_own(&headers, None).await?;
    let asked = Some(wanted.tenant.as_str());
    let acting = app.people.acting(&person, asked, &organisations.roles);
    let tenant = acting.await?;
    let settings = wanted.settings(&app)?;
    if app.count_in_hour("providers", &person.person).await? > AN_HOUR {
        let refusal = Refusal::new(Code::SlowDown, "that was tried too often in this hour");
        return Err(Refused(StatusCode::TOO_MANY_REQUESTS, refusal));
    }
    let text = serde_json::to_string(&settings).map_err(|_| Refusal::unavailable())?;
    let random = seal::random::<16>().map_err(Refusal::from)?;
    let mut row = ProviderRow {
        id: format!("{PREFIX}{random}"),
        tenant,
        name: wanted.name,
        issuer: wanted.issuer,
        client_id: wanted.client_id,
        client_secret: None,
        settings: text,
        state: ProviderState::Validated,
        created_by: person.person.clone(),
        created_at: app.clock.now_ms(),
        tested_at: None,
    };
    let opened = app
        .providers
        .try_open(&mut row, &settings, wanted.client_secret)
        .await?;
    let provider = match opened {
        Ok(provider) => provider,
        Err(error) => return Ok(wanted::refused(&error)?),
    };
    provider.validate().await.map_err(wanted::unfit)?;
    let of_tenant = i64::from(organisations.per_tenant);
    let in_all = i64::from(organisations.in_all);
    if !app.store.add_provider(&row, of_tenant, in_all).await? {
        let description = "there are too many providers: remove one";
        return Err(Refusal::new(Code::AccessDenied, description).into());
    }
    if let Err(refusal) = record(&app, "provider.created", &row, &person, None).await {
        // Nothing is there that is not recorded.
        app.store.remove_provider(&row.id).await?;
        return Err(refusal.into());
    }
    Ok(reply::json(StatusCode::CREATED, &shown(&app, &row)?))
}

#[derive(Deserialize)]
struct Which {
    /// For a session that is not for one organisation alone.
    tenant: Option<String>,
}

async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Refused> {
    let person = app.people.require(&headers).await?;
    let Query(which) = which.map_err(|_| Refusal::request("expected `tenant`"))?;
    let roles = &settings(&app)?.roles;
    let acting = app.people.acting(&person, which.tenant.as_deref(), roles);
    let rows = app.store.providers_of(&acting.await?, LISTED).await?;
    let listed: Result<Vec<_>, _> = rows.iter().map(|row| shown(&app, row)).collect();
    let body = json!({ "providers": listed? });
    Ok(reply::json(StatusCode::OK, &body))
}

async fn activate(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let person = app.people.require_own(&headers, None).await?;
    let mut row = own(&app, &person, &id).await?;
    let refusal = Refusal::request("it is to be tested first");
    let untested = Refused(StatusCode::CONFLICT, refusal);
    if row.tested_at.is_none() {
        return Err(untested);
    }
    record(&app, "provider.activated", &row, &person, None).await?;
    // It may have been disabled at this very moment.
    if !app.store.activate_provider(&id, app.clock.now_ms()).await? {
        return Err(untested);
    }
    row.state = ProviderState::Active;
    Ok(reply::json(StatusCode::OK, &shown(&app, &row)?))
}

/// Also again, where it did not come to its end.
async fn disable(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let person = app.people.require_own(&headers, None).await?;
    let mut row = own(&app, &person, &id).await?;
    let sessions = end(&app, &id).await?;
    record(&app, "provider.disabled", &row, &person, Some(sessions)).await?;
    (row.state, row.tested_at) = (ProviderState::Disabled, None);
    Ok(reply::json(StatusCode::OK, &shown(&app, &row)?))
}

/// Its sessions end first: without its row nobody would find them.
async fn remove(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let person = app.people.require_own(&headers, None).await?;
    let row = own(&app, &person, &id).await?;
    let sessions = end(&app, &id).await?;
    record(&app, "provider.removed", &row, &person, Some(sessions)).await?;
    app.store.remove_provider(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// From now on it signs in nobody, and nobody is signed in by it.
async fn end(app: &App, id: &str) -> Result<u64, Refusal> {
    app.store.disable_provider(id, app.clock.now_ms()).await?;
    app.sessions.finish_all_of(id).await
}

fn settings(app: &App) -> Result<&Organisations, Refusal> {
    // Without them there are no routes.
    let none = Refusal::new(Code::ServerError, "organisations connect no providers here");
    app.config.login.organisations.as_ref().ok_or(none)
}

/// A provider without its secret.
fn shown(app: &App, row: &ProviderRow) -> Result<Value, Refusal> {
    let settings: Settings =
        serde_json::from_str(&row.settings).map_err(|_| Refusal::unavailable())?;
    Ok(json!({
        "id": row.id,
        "tenant": row.tenant,
        "name": row.name,
        "issuer": row.issuer,
        "client_id": row.client_id,
        "scopes": settings.scopes,
        "algorithms": settings.algorithms,
        "roles": settings.roles,
        "state": row.state.as_str(),
        "redirect_uri": Provider::redirect_uri(&row.id, &app.config.issuer),
        "created_at": row.created_at.div_euclid(1000),
        "tested_at": row.tested_at.map(|at| at.div_euclid(1000)),
    }))
}
