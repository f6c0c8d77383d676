//! The page at which a person approves a device. It works without script and style.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use maud::html;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{
    PAGE,
    code::UserCode,
    throttle,
    view::{enter, failed, page, said, waiting},
};
use crate::{
    app::App,
    audit::Entry,
    config::Pairing,
    form::Form,
    peer,
    refusal::{Code, Refusal},
    sessions::Session,
    store::{Decided, DeviceCodeRow},
};

#[derive(Deserialize)]
pub(super) struct Asked {
    user_code: Option<String>,
    /// For a session that is not for one organisation alone.
    tenant: Option<String>,
}

/// A person with a role, for an organisation.
struct Approver {
    session: Session,
    tenant: String,
}

/// Shows the form for a code, or what waits with this code.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let shown = async {
        let unreadable = |_| Refusal::request("the query cannot be read");
        let Query(asked) = asked.map_err(unreadable)?;
        let code = asked.user_code.as_deref();
        let Some(settings) = &app.config.pairing else {
            return Ok(no_pairing());
        };
        let Some(session) = app.people.find(&headers).await? else {
            return Ok(login(code, false));
        };
        let tenant = asked.tenant.as_deref().filter(|tenant| !tenant.is_empty());
        if session.tenant.is_none() && tenant.is_none() {
            let form = enter(code, true);
            return Ok(page(StatusCode::OK, "Pair a device", &form));
        }
        let approver = match approver(&app, settings, session, tenant).await? {
            Ok(approver) => approver,
            Err(otherwise) => return Ok(otherwise),
        };
        let Some(code) = code.filter(|code| !code.is_empty()) else {
            let form = enter(None, approver.session.tenant.is_none());
            return Ok(page(StatusCode::OK, "Pair a device", &form));
        };
        let found = find(&app, &extensions, &headers, &approver, code).await?;
        Ok(match found {
            Ok((code, row)) => {
                let csrf = &approver.session.csrf;
                let waiting = waiting(&code, &row, &approver.tenant, csrf);
                page(StatusCode::OK, "Pair this device?", &waiting)
            }
            Err(otherwise) => otherwise,
        })
    };
    shown.await.unwrap_or_else(|refusal| failed(&refusal))
}

/// Takes the decision.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let decided = async {
        let code = form.get("user_code");
        let Some(settings) = &app.config.pairing else {
            return Ok(no_pairing());
        };
        let session = match app.people.require_own(&headers, form.get("csrf")).await {
            Ok(session) => session,
            Err(refusal) if refusal.code == Code::InvalidToken => return Ok(login(code, true)),
            Err(refusal) if refusal.code == Code::AccessDenied => {
                let text = "This was not sent from our page, or the page is too old. Nothing has \
                            changed. Open the page again.";
                return Ok(said(StatusCode::FORBIDDEN, "Not sent from our page", text));
            }
            Err(refusal) => return Err(refusal),
        };
        let approver = match approver(&app, settings, session, form.get("tenant")).await? {
            Ok(approver) => approver,
            Err(otherwise) => return Ok(otherwise),
        };
        let decided = match form.get("decision") {
            Some("approve") => Decided::Approved,
            Some("deny") => Decided::Denied,
            _ => return Err(Refusal::request("`decision` is `approve` or `deny`")),
        };
        let code = code.unwrap_or_default();
        let (_, row) = match find(&app, &extensions, &headers, &approver, code).await? {
            Ok(found) => found,
            Err(otherwise) => return Ok(otherwise),
        };
        settle(&app, &approver, &row, decided).await
    };
    decided.await.unwrap_or_else(|refusal| failed(&refusal))
}

fn no_pairing() -> Response {
    let text = "Devices are not paired here.";
    said(StatusCode::NOT_FOUND, "No pairing", text)
}

/// The person as one who may approve, or the answer to somebody else.
async fn approver(
    app: &App,
    settings: &Pairing,
    session: Session,
    asked: Option<&str>,
) -> Result<Result<Approver, Response>, Refusal> {
    match app.people.acting(&session, asked, &settings.roles).await {
        Ok(tenant) => Ok(Ok(Approver { tenant, session })),
        Err(refusal) if is_other(&refusal) => {
            let text = "You are signed in, but you may not pair devices. Ask somebody who \
                        administers your organisation.";
            let status = StatusCode::FORBIDDEN;
            Ok(Err(said(status, "Another role is needed", text)))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Whether somebody else could do it.
fn is_other(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::AccessDenied | Code::InsufficientScope)
}

/// To the login, and back to this page.
fn login(code: Option<&str>, is_form: bool) -> Response {
    let code = code.and_then(UserCode::read);
    let back = code.map_or_else(
        || PAGE.to_owned(),
        |code| format!("{PAGE}?user_code={}", code.shown()),
    );
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", &back);
    let location = format!("/auth/login?{}", query.finish());
    let link = html! { p { a href=(location) { "Sign in first." } } };
    // After a form the browser is not sent on by itself: that way leads to the person's
    // provider, where `form-action` lets no form go.
    if is_form {
        return page(StatusCode::UNAUTHORIZED, "Sign in", &link);
    }
    let mut response = page(StatusCode::SEE_OTHER, "Sign in", &link);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// What waits with this code. Wrong codes are counted: few are enough for a person who
/// mistypes, and nothing for somebody who guesses.
async fn find(
    app: &App,
    extensions: &Extensions,
    headers: &HeaderMap,
    approver: &Approver,
    code: &str,
) -> Result<Result<(UserCode, DeviceCodeRow), Response>, Refusal> {
    let peer = peer::address(extensions, headers, &app.config.trusted_proxies);
    let network = throttle::network(peer);
    let mut tried = Vec::new();
    for (count, of) in [
        (throttle::GUESSES_OF_ADDRESS, network.as_str()),
        (throttle::GUESSES_OF_PERSON, &approver.session.person),
        (throttle::GUESSES, ""),
    ] {
        match throttle::admit(app, count, of).await? {
            Some(one) => tried.push(one),
            None => {
                let text = "There were too many wrong codes. Wait ten minutes.";
                let status = StatusCode::TOO_MANY_REQUESTS;
                let mut response = said(status, "Too many wrong codes", text);
                let wait = HeaderValue::from_static("600");
                response.headers_mut().insert(header::RETRY_AFTER, wait);
                return Ok(Err(response));
            }
        }
    }
    let now = app.clock.now_ms();
    let found = match UserCode::read(code) {
        None => None,
        Some(code) => {
            let row = app.store.pending_code(&code.hash(&app.sealer), now).await?;
            row.map(|row| (code, row))
        }
    };
    let Some(found) = found else {
        let text = "No device waits with this code. It may be mistyped, older than ten minutes, \
                    or decided already.";
        let form = enter(None, approver.session.tenant.is_none());
        let again = html! { p { (text) } (form) };
        return Ok(Err(page(StatusCode::NOT_FOUND, "Code not known", &again)));
    };
    throttle::forgive(app, &tried).await?;
    Ok(Ok(found))
}

/// Writes the decision, if nobody else was first.
async fn settle(
    app: &App,
    approver: &Approver,
    row: &DeviceCodeRow,
    decided: Decided,
) -> Result<Response, Refusal> {
    let Approver { session, tenant } = approver;
    let now = app.clock.now_ms();
    let person = &session.person;
    let mut detail = Map::new();
    detail.insert("scope".to_owned(), json!(row.scopes.join(" ")));
    detail.insert("audience".to_owned(), json!(row.audience));
    detail.insert("place".to_owned(), json!(row.place));
    let (event, title, text) = match decided {
        Decided::Approved => (
            "pairing.approved",
            "The device is paired",
            "It goes on by itself within some seconds. You can close this page.",
        ),
        Decided::Denied => (
            "pairing.denied",
            "The device is not paired",
            "It was told so. You can close this page.",
        ),
    };
    let mut entry = Entry {
        event,
        actor: Some(person),
        tenant: Some(tenant),
        client: Some(&row.client),
        detail,
        ..Entry::default()
    };
    // Before it counts: what cannot be recorded must not happen.
    app.audit.record(&entry).await?;
    let written = app
        .store
        .decide_code(&row.device_hash, decided, person, tenant, now);
    if written.await? {
        return Ok(said(StatusCode::OK, title, text));
    }
    entry.refused = Some("decided_already");
    app.audit.record(&entry).await?;
    let text = "Somebody else has decided about this device, or its time is over.";
    Ok(said(StatusCode::CONFLICT, "Decided already", text))
}
