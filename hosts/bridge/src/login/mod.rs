//! People sign in at their provider: `/auth/login`, `/auth/callback/{provider}`,
//! `/auth/logout`, and `/auth/session` for the site's own pages.

mod begin;
mod callback;
mod code;
mod logout;
mod page;
mod return_to;
mod trial;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{app::App, refusal::Refusal};

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/auth/login", get(begin::login))
        .route("/auth/callback/{provider}", get(callback::callback))
        .route("/auth/logout", get(logout::ask).post(logout::logout))
        .route(logout::DONE, get(logout::done))
        .route("/auth/session", get(session))
}

/// Who is signed in, and the CSRF token. Only pages of this site can read it.
async fn session(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let session = app.people.require(&headers).await?;
    let body = json!({
        "person": session.person,
        "provider": session.provider,
        "tenant": session.tenant,
        "auth_time": session.auth_time.div_euclid(1000),
        "expires_at": session.expires_at.div_euclid(1000),
        "csrf": session.csrf,
    });
    Ok(private(Json(body).into_response()))
}

/// A response that is for one browser, and that nobody keeps.
fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sends a browser there by GET.
fn see(
    location: &str,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Result<Response, Refusal> {
    let location = HeaderValue::try_from(location).map_err(|_| Refusal::unavailable())?;
    let mut response = private(StatusCode::SEE_OTHER.into_response());
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
