//! The test of an organisation's provider: one who looks after it signs in by it, before
//! anybody else can. It begins no session, meets no person and changes no member.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use maud::html;

use super::page;
use crate::{
    app::App,
    own_providers,
    providers::{Identity, Provider},
    refusal::{Code, Refusal},
    sessions::Session,
    store::AttemptRow,
};

/// What such an attempt is for.
pub(super) const PURPOSE: &str = "test";

const NOT_YOURS: Refusal = Refusal::new(
    Code::AccessDenied,
    "who tests a provider is signed in, may look after it, and ends what it has begun",
);

/// The provider, and who tests it.
pub(super) async fn begun(
    app: &App,
    headers: &HeaderMap,
    id: &str,
) -> Result<(Arc<Provider>, String), Refusal> {
    let session = tester(app, headers, id).await?;
    let provider = app.providers.connected(id).await?.ok_or(NOT_YOURS)?;
    Ok((provider, session.person))
}

/// What the provider has said, which is good.
pub(super) async fn finished(
    app: &App,
    headers: &HeaderMap,
    by: &str,
    attempt: &AttemptRow,
    identity: &Identity,
) -> Result<Response, Refusal> {
    let id = &attempt.provider;
    let session = tester(app, headers, id).await?;
    if session.person != by {
        return Err(NOT_YOURS);
    }
    let row = app.store.provider(id).await?.ok_or(NOT_YOURS)?;
    own_providers::record(app, "provider.tested", &row, &session, None).await?;
    let (begun_at, now) = (attempt.created_at, app.clock.now_ms());
    if !app.store.provider_tested(id, begun_at, now).await? {
        let description = "the provider was disabled since this test began";
        return Err(Refusal::new(Code::AccessDenied, description));
    }
    let content = html! {
        p { "The provider has signed you in. Nobody else can sign in by it until it is activated." }
        @match identity.roles.as_deref() {
            None => { p { "It says nothing about roles: the table of members does." } },
            Some([]) => { p { "You would have no role, and be no member." } },
            Some(roles) => {
                p { "You would have these roles:" }
                ul { @for role in roles { li { (role) } } }
            },
        }
    };
    Ok(page::page(StatusCode::OK, "The test has passed", &content))
}

/// Who is signed in here, and may look after this provider.
async fn tester(app: &App, headers: &HeaderMap, id: &str) -> Result<Session, Refusal> {
    let session = app.people.find(headers).await?.ok_or(NOT_YOURS)?;
    match own_providers::own(app, &session, id).await {
        Ok(_) => Ok(session),
        Err(refused) if refused.1.is_unavailable() => Err(refused.1),
        Err(_) => Err(NOT_YOURS),
    }
}
