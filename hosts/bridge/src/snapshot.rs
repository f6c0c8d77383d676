//! A document that gates fetch, as bytes: made once, sent often.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::seal;

/// A JSON document and its name.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) body: Bytes,
    /// Of its content: replicas with the same rows have the same one.
    etag: HeaderValue,
}

impl Snapshot {
    pub(crate) fn new(body: Vec<u8>) -> Self {
        let mut name = seal::hash(&body);
        name.truncate(32);
        let etag = HeaderValue::from_str(&format!("\"{name}\""));
        Self {
            body: body.into(),
            etag: etag.unwrap_or(HeaderValue::from_static("\"\"")),
        }
    }

    /// The response, without a body where the caller has it already (RFC 9110 §13.1.2).
    pub(crate) fn response(&self, asked: &HeaderMap, cache_control: HeaderValue) -> Response {
        let known = asked.get_all(header::IF_NONE_MATCH).iter();
        let mut known = known
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        let is_known = known.any(|name| {
            let name = name.trim();
            name == "*"
                || name.strip_prefix("W/").unwrap_or(name).as_bytes() == self.etag.as_bytes()
        });
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => {
                let mut response = self.body.clone().into_response();
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, cache_control);
        response
    }
}
