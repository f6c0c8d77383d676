//! `/v1/keys`: a signed-in person makes, lists and revokes API keys; `/api-keys.json`: gates
//! read which are good.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api_keys::{ApiKeys, Made, NewKey},
    app::App,
    audit::Entry,
    form,
    members::Membership,
    refusal::{Code, Refusal, Refused},
    reply,
    sessions::Session,
    store::ApiKeyRow,
};

/// What gates fetch.
const DOCUMENT: &str = "/api-keys.json";

/// All keys of a person, and one of them.
const KEYS: &str = "/v1/keys";
const KEY: &str = "/v1/keys/{id}";

const NAME_BYTES: usize = 128;

const FORM: &str =
    "expected `name`, `tenant` and, if wanted, `roles`, `scopes` and `expires_in_days`";

/// Roles, and scopes, of one key: an entry for a gate has at most 16 KiB.
const WORDS: usize = 32;

/// Keys that a person makes in an hour: those that were revoked stay in the database.
const AN_HOUR: i64 = 60;

const DAY_MS: i64 = 86_400_000;

/// The longest list: the newest ones.
const LISTED: i64 = 1000;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(DOCUMENT, get(document))
        .route(KEYS, get(list).post(create))
        .route(KEY, delete(revoke))
}

async fn document(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refused> {
    let keys = keys(&app)?;
    let shown = headers.get(header::AUTHORIZATION);
    if !keys.may_read(shown.map_or(b"", HeaderValue::as_bytes)) {
        return Err(Refusal::new(Code::InvalidToken, "this document is for gates").into());
    }
    let snapshot = keys.document().await?;
    Ok(snapshot.response(&headers, HeaderValue::from_static("private, no-cache")))
}

/// What a person asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    tenant: String,
    /// None where it is not said: nobody has a role by an omission.
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    expires_in_days: Option<u32>,
}

async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let keys = keys(&app)?;
    let wanted: Wanted = form::json(&headers, &body, FORM)?;
    let person = app.people.require_own(&headers, None).await?;
    let tenant = app.people.tenant(&person, Some(&wanted.tenant))?;
    let member = app.people.member(&person, tenant).await?;
    let new = new_key(keys, &app, wanted, &person, &member)?;
    if app.count_in_hour("api_keys", &person.person).await? > AN_HOUR {
        let refusal = Refusal::new(Code::SlowDown, "too many keys were made in this hour");
        return Err(Refused(StatusCode::TOO_MANY_REQUESTS, refusal));
    }
    let made = keys.make(new).await?;
    let made = made.ok_or(denied("there are too many keys: revoke one"))?;
    let Made { text, row } = made;
    if let Err(refusal) = record(&app, "api_key.created", &row.id, &person, &row.tenant).await {
        // Nobody gets what is not recorded.
        keys.revoke(&row.id, &person.person, None).await?;
        return Err(refusal.into());
    }
    let mut shown = shown(&row, app.clock.now_ms());
    if let Value::Object(members) = &mut shown {
        members.insert("key".to_owned(), json!(text));
    }
    Ok(reply::json(StatusCode::CREATED, &shown))
}

async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refused> {
    let person = app.people.require(&headers).await?;
    let tenant = person.tenant.as_deref();
    let rows = app
        .store
        .api_keys_of(&person.person, tenant, LISTED)
        .await?;
    let now = app.clock.now_ms();
    let listed: Vec<_> = rows.iter().map(|row| shown(row, now)).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "keys": listed })))
}

/// Also by somebody who is no member any more: it takes away only.
async fn revoke(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let keys = keys(&app)?;
    let person = app.people.require_own(&headers, None).await?;
    let tenant = person.tenant.as_deref();
    if !keys.revoke(&id, &person.person, tenant).await? {
        let refusal = Refusal::request("there is no such key");
        return Err(Refused(StatusCode::NOT_FOUND, refusal));
    }
    record(
        &app,
        "api_key.revoked",
        &id,
        &person,
        tenant.unwrap_or_default(),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn keys(app: &App) -> Result<&ApiKeys, Refusal> {
    // Without them there are no routes.
    let none = Refusal::new(Code::ServerError, "there are no API keys");
    app.api_keys.as_ref().ok_or(none)
}

/// Never wider than the person, and never longer than the settings allow.
fn new_key<'a>(
    keys: &ApiKeys,
    app: &App,
    wanted: Wanted,
    person: &'a Session,
    member: &Membership,
) -> Result<NewKey<'a>, Refused> {
    let request = |description| Refused::from(Refusal::request(description));
    if !form::is_line(&wanted.name, NAME_BYTES) {
        return Err(request("`name` has 1 to 128 bytes on one line"));
    }
    if wanted.roles.len() > WORDS || wanted.scopes.len() > WORDS {
        return Err(request("a key has at most 32 roles and 32 scopes"));
    }
    let has = |owned: &[String], words: &[String]| words.iter().all(|word| owned.contains(word));
    if !has(&member.roles, &wanted.roles) {
        return Err(denied("a role is asked for that the person does not have"));
    }
    if !has(&member.scopes, &wanted.scopes) {
        let description = "a scope is asked for that the person does not have";
        return Err(Refusal::new(Code::InvalidScope, description).into());
    }
    let most = keys.settings.max_days;
    let days = wanted.expires_in_days.unwrap_or(most);
    if !(1..=most).contains(&days) {
        return Err(request(
            "`expires_in_days` is 1 or more, and not beyond the longest life",
        ));
    }
    let once = |mut words: Vec<String>| {
        words.sort_unstable();
        words.dedup();
        words
    };
    Ok(NewKey {
        name: wanted.name,
        person: &person.person,
        tenant: wanted.tenant,
        roles: once(wanted.roles),
        scopes: once(wanted.scopes),
        expires_at: app.clock.now_ms() + i64::from(days) * DAY_MS,
    })
}

/// A key without the key and without its hash.
fn shown(row: &ApiKeyRow, now: i64) -> Value {
    let status = match row.revoked_at {
        Some(_) => "revoked",
        None if row.expires_at <= now => "expired",
        None => "active",
    };
    json!({
        "id": row.id,
        "name": row.name,
        "tenant": row.tenant,
        "roles": row.roles,
        "scopes": row.scopes,
        "status": status,
        "created_at": row.created_at.div_euclid(1000),
        "expires_at": row.expires_at.div_euclid(1000),
    })
}

async fn record(
    app: &App,
    event: &'static str,
    id: &str,
    person: &Session,
    tenant: &str,
) -> Result<(), Refusal> {
    let entry = Entry {
        event,
        actor: Some(&person.person),
        subject: Some(&person.person),
        tenant: Some(tenant).filter(|tenant| !tenant.is_empty()),
        jti: Some(id),
        ..Entry::default()
    };
    app.audit.record(&entry).await
}

fn denied(description: &'static str) -> Refused {
    Refusal::new(Code::AccessDenied, description).into()
}
