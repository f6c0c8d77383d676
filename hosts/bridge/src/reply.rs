//! What a grant answers with (RFC 6749 §5.1), and answers in JSON for a person's page.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::mint::Issued;

/// A token for a client. `{:?}` does not show it.
pub(crate) struct Granted(Map<String, Value>);

impl Granted {
    /// A token that whoever has it may use.
    pub(crate) fn bearer(issued: Issued) -> Self {
        Self::of("Bearer", issued)
    }

    /// With `token_type` `Bearer`, or `DPoP` for one that is bound to a key (RFC 9449 §5).
    pub(crate) fn of(token_type: &str, issued: Issued) -> Self {
        let mut members = Map::new();
        members.insert("access_token".to_owned(), json!(issued.token));
        members.insert("token_type".to_owned(), json!(token_type));
        members.insert("expires_in".to_owned(), json!(issued.expires_in_s));
        members.insert("scope".to_owned(), json!(issued.scope));
        Self(members)
    }

    /// With a further member, such as `issued_token_type` or `refresh_token`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

/// JSON that nobody keeps.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    (status, [(header::CACHE_CONTROL, no_store)], Json(body)).into_response()
}

impl IntoResponse for Granted {
    fn into_response(self) -> Response {
        let mut response = Json(Value::Object(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}
