//! `/userinfo`: who signed in, for an access token (OpenID Connect Core 1.0 §5.3).

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use super::{Provider, Scene, reply, shelf::Name};

pub(super) fn answer<B>(
    provider: &Provider,
    scene: &Scene<'_>,
    request: &Request<B>,
) -> Response<String> {
    let Some(token) = bearer(request.headers()) else {
        return refused("Bearer");
    };
    let mut shelves = provider.shelves();
    match shelves.access.find(Name::of(token), scene.now_ms) {
        Some(access) => {
            let claims = provider.settings.people[access.person].claims();
            reply::json_of(StatusCode::OK, &Value::Object(claims))
        }
        None => refused("Bearer error=\"invalid_token\""),
    }
}

/// RFC 6750 §2.1; the other two ways are not offered.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn refused(challenge: &'static str) -> Response<String> {
    let body = json!({ "error": "invalid_token" });
    let mut response = reply::json_of(StatusCode::UNAUTHORIZED, &body);
    let challenge = HeaderValue::from_static(challenge);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
