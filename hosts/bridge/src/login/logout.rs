//! `/auth/logout`: the session ends here, its tokens are revoked, and the provider is told
//! (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::html;
use url::Url;

use super::{page, see};
use crate::{
    app::App,
    form::Form,
    refusal::Refusal,
    sessions::{self, Session},
};

/// Where a provider sends a browser after the logout there.
pub(super) const DONE: &str = "/auth/logout/done";

/// Asks whether: a GET ends nothing, as another site's page can make a browser send it.
pub(super) async fn ask(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let session = match app.people.find(&headers).await {
        Ok(Some(session)) => session,
        Ok(None) => return done().await,
        Err(refusal) => return page::refused(refusal),
    };
    let content = html! {
        form method="post" action="/auth/logout" {
            input type="hidden" name="csrf" value=(session.csrf);
            button { "Sign out" }
        }
    };
    let mut response = page::page(StatusCode::OK, "Sign out", &content);
    // Browsers hold the redirect after a form to this, too.
    let provider = end_session_uri(&app, &session).await;
    let origin = provider.map(|url| url.origin().ascii_serialization());
    let policy = format!(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' {}",
        origin.unwrap_or_default()
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        let name = header::CONTENT_SECURITY_POLICY;
        response.headers_mut().insert(name, policy);
    }
    response
}

pub(super) async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Refusal> {
    if app.people.find(&headers).await?.is_none() {
        return see(DONE, [sessions::forget()]);
    }
    let csrf = form.get("csrf");
    let session = app.people.require_own(&headers, csrf).await?;
    // One that is not there keeps nobody from a logout.
    let provider = app.providers.find(&session.provider).await.ok().flatten();
    app.sessions.finish(&session, "logout").await?;
    let location = match end_session_uri(&app, &session).await {
        Some(mut url) => {
            let done = app.config.issuer.at(DONE);
            let mut query = url.query_pairs_mut();
            query.append_pair("post_logout_redirect_uri", &done);
            if let Some(provider) = provider {
                query.append_pair("client_id", &provider.client_id);
            }
            if let Some(hint) = app.sessions.id_token(&session) {
                query.append_pair("id_token_hint", &hint);
            }
            drop(query);
            url.into()
        }
        None => DONE.to_owned(),
    };
    see(&location, [sessions::forget()])
}

pub(super) async fn done() -> Response {
    let content = html! { p { a href="/auth/login" { "Sign in" } } };
    page::page(StatusCode::OK, "Signed out", &content)
}

/// Where the provider ends its own session, if it says so. It may be gone, which keeps
/// nobody from a logout here.
async fn end_session_uri(app: &App, session: &Session) -> Option<Url> {
    let provider = app.providers.find(&session.provider).await.ok()??;
    let metadata = provider.metadata().await.ok()?;
    Url::parse(metadata.end_session_endpoint.as_deref()?).ok()
}
