//! The response to a fetch.

use countersign::{json::Value, policy_json};

use crate::{host::http, request::Head};

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) cache_control: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Reads the response. Only valid in the callback of its call.
    pub(crate) fn take(size: usize) -> Option<Self> {
        let map = http::response_headers()?;
        let head = Head::parse(&map)?;
        let text = |name: &[u8]| {
            let values: Vec<&str> = head
                .values(name)
                .filter_map(|value| str::from_utf8(value).ok())
                .collect();
            values.join(", ")
        };
        Some(Self {
            status: text(b":status").parse().ok()?,
            cache_control: text(b"cache-control"),
            body: http::response_body(size)?,
        })
    }

    /// Returns whether the response has a document.
    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Returns whether the body is a JWK Set without keys. A broken issuer can
    /// publish one. The gate applies it, and the operator needs to know.
    pub(crate) fn has_no_keys(&self) -> bool {
        const MAX_BYTES: usize = 4096;
        let text = self.body.get(..self.body.len().min(MAX_BYTES));
        let value = text.and_then(|text| policy_json(text).ok());
        let keys = value
            .as_ref()
            .and_then(|value| value.as_object()?.get("keys"));
        keys.and_then(Value::as_array)
            .is_some_and(|keys| keys.is_empty())
    }
}
