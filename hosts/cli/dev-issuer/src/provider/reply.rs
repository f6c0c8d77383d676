//! Responses.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

/// Something that anybody may keep for a minute: keys and metadata.
pub(super) fn document(value: &Value) -> Response<String> {
    let mut response = json_of(StatusCode::OK, value);
    let minute = HeaderValue::from_static("max-age=60");
    response.headers_mut().insert(CACHE_CONTROL, minute);
    response
}

/// JSON that nobody may keep.
pub(super) fn json_of(status: StatusCode, value: &Value) -> Response<String> {
    of(status, "application/json", format!("{value:#}\n"))
}

/// An error of a token endpoint (RFC 6749 §5.2).
pub(super) fn refused(error: &str, description: &str) -> Response<String> {
    let status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let value = json!({ "error": error, "error_description": description });
    let mut response = json_of(status, &value);
    if error == "invalid_client" {
        let basic = HeaderValue::from_static("Basic realm=\"countersign development\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

/// To a URI that is registered, so that a GET follows (RFC 9700 §4.12).
pub(super) fn redirect(uri: &str) -> Response<String> {
    let mut response = of(StatusCode::SEE_OTHER, "text/plain", String::new());
    match HeaderValue::from_str(uri) {
        Ok(uri) => {
            response.headers_mut().insert(LOCATION, uri);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

pub(super) fn of(status: StatusCode, media_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        // Not `no-referrer`: with it a browser sends `Origin: null` with the form.
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
