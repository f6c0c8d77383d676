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
use subtle::ConstantTimeEq;

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
    refusal::Refusal,
    session::SignedIn,
    store::{Decided, DeviceCodeRow},
};

#[derive(Deserialize)]
pub(super) struct Asked {
    user_code: Option<String>,
}

/// A person with a role, for an organisation.
struct Approver {
    signed_in: SignedIn,
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
        let approver = match approver(&app, &headers, code, false).await? {
            Ok(approver) => approver,
            Err(otherwise) => return Ok(otherwise),
        };
        let Some(code) = code.filter(|code| !code.is_empty()) else {
            return Ok(page(StatusCode::OK, "Pair a device", &enter()));
        };
        let found = find(&app, &extensions, &headers, &approver, code).await?;
        Ok(match found {
            Ok((code, row)) => {
                let csrf = &approver.signed_in.csrf;
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
        let approver = match approver(&app, &headers, code, true).await? {
            Ok(approver) => approver,
            Err(otherwise) => return Ok(otherwise),
        };
        if !is_csrf(&approver.signed_in, &headers, form.get("csrf")) {
            let text = "This was not sent from our page, or the page is too old. Nothing has \
                        changed. Open the page again.";
            return Ok(said(StatusCode::FORBIDDEN, "Not sent from our page", text));
        }
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

/// Whether a request comes from a page of this session.
pub(super) fn is_csrf(signed_in: &SignedIn, headers: &HeaderMap, text: Option<&str>) -> bool {
    let site = headers.get("sec-fetch-site");
    let is_ours = site.is_none_or(|site| site == "same-origin");
    let known = signed_in.csrf.as_bytes();
    let is_equal = text.is_some_and(|text| text.as_bytes().ct_eq(known).into());
    is_ours && is_equal && !known.is_empty()
}

/// The person who may approve, or the answer to somebody else.
async fn approver(
    app: &App,
    headers: &HeaderMap,
    code: Option<&str>,
    is_form: bool,
) -> Result<Result<Approver, Response>, Refusal> {
    let Some(Pairing { roles, .. }) = &app.config.pairing else {
        let text = "Devices are not paired here.";
        return Ok(Err(said(StatusCode::NOT_FOUND, "No pairing", text)));
    };
    let Some(signed_in) = app.sessions.who(headers).await? else {
        return Ok(Err(login(code, is_form)));
    };
    let has_role = signed_in.roles.iter().any(|role| roles.contains(role));
    Ok(match &signed_in.tenant {
        Some(tenant) if has_role => Ok(Approver {
            tenant: tenant.clone(),
            signed_in,
        }),
        _ => {
            let text = "You are signed in, but you may not pair devices. Ask somebody who \
                        administers your organisation.";
            Err(said(StatusCode::FORBIDDEN, "Another role is needed", text))
        }
    })
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
        (throttle::GUESSES_OF_PERSON, &approver.signed_in.person),
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
        let again = html! { p { (text) } (enter()) };
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
    let Approver { signed_in, tenant } = approver;
    let now = app.clock.now_ms();
    let person = &signed_in.person;
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
