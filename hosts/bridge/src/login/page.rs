//! The few pages that a person sees. No script, no style, no image.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use crate::refusal::{Code, Refusal};

/// A page.
pub(super) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
            }
            body { main { h1 { (title) } (content) } }
        }
    };
    let mut response = super::private(Body::from(text.into_string()).into_response());
    // With `no-referrer` a browser would send `origin: null` with the page's own form.
    let referrer = HeaderValue::from_static("same-origin");
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, referrer);
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// Why nobody is signed in now. The text is fixed.
pub(super) fn refused(refusal: Refusal) -> Response {
    let content = html! {
        p { (refusal.description) "." }
        p { a href="/auth/login" { "Sign in again" } }
    };
    let status = match refusal.code {
        Code::AccessDenied => StatusCode::FORBIDDEN,
        code => code.status(),
    };
    page(status, "Not signed in", &content)
}

/// For somebody who tries too often.
pub(super) fn too_often() -> Response {
    let content = html! { p { "That was tried too often. Wait a minute." } };
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, "Not signed in", &content);
    let minute = HeaderValue::from_static("60");
    response.headers_mut().insert(header::RETRY_AFTER, minute);
    response
}
