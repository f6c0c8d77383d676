//! Pages as HTML: plain, and everything that is shown is escaped by the templates.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use super::{PAGE, code::UserCode};
use crate::{refusal::Refusal, store::DeviceCodeRow};

/// Forms go to the bridge alone, and no page has it in a frame: a click there would be
/// one that the person does not see (RFC 6749 §10.13).
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer` a browser would send `origin: null` with the page's own form.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
];

/// Asks for a code, and where it is not known, for which organisation.
pub(super) fn enter(code: Option<&str>, asks_tenant: bool) -> Markup {
    let code = code.and_then(UserCode::read).map(|code| code.shown());
    html! {
        form method="get" action=(PAGE) {
            p {
                label for="user_code" { "The code that the device shows" }
                br;
                input id="user_code" name="user_code" type="text" required maxlength="16"
                    value=[code] autocomplete="off" autocapitalize="characters"
                    spellcheck="false";
            }
            @if asks_tenant {
                p {
                    label for="tenant" { "The organisation that it will belong to" }
                    br;
                    input id="tenant" name="tenant" type="text" required maxlength="128"
                        autocomplete="organization" spellcheck="false";
                }
            }
            p { button type="submit" { "Go on" } }
        }
    }
}

pub(super) fn waiting(code: &UserCode, row: &DeviceCodeRow, tenant: &str, csrf: &str) -> Markup {
    html! {
        p {
            "Approve only if you have the device before you, and it shows exactly this code. "
            "If somebody has sent you the code or a link, deny."
        }
        dl {
            dt { "Code" }
            dd { strong { (code.shown()) } }
            dt { "Device, by its own words" }
            dd { (row.device) }
            dt { "Kind" }
            dd { (row.client) }
            dt { "It asks from the address" }
            dd { (row.place) }
            dt { "It will belong to" }
            dd { (tenant) }
            dt { "It will be able to" }
            dd { ul { @for scope in &row.scopes { li { code { (scope) } } } } }
            dt { "At" }
            dd { (row.audience) }
        }
        form method="post" action=(PAGE) {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="tenant" value=(tenant);
            input type="hidden" name="user_code" value=(code.shown());
            p {
                button type="submit" name="decision" value="deny" { "Deny" }
                " "
                button type="submit" name="decision" value="approve" { "Approve" }
            }
        }
    }
}

pub(super) fn said(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, title, &html! { p { (text) } })
}

pub(super) fn failed(refusal: &Refusal) -> Response {
    let mut response = (*refusal).into_response();
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut page = said(status, "That did not work", refusal.description);
    if let Some(wait) = headers.get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    page
}

pub(super) fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    let mut response = (status, page.into_string()).into_response();
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
