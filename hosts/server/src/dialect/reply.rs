//! A response to a proxy.

use bytes::Bytes;
use countersign_host::Denial;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// A response to a proxy.
pub(crate) type Reply = Response<Full<Bytes>>;

/// The code of a denial, for proxies that pass on nothing but a status.
pub(crate) const CODE: HeaderName = HeaderName::from_static("x-countersign-code");

/// A response with this status and no body, which no cache may keep.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    reply.headers_mut().insert(header::CACHE_CONTROL, no_store);
    reply
}

/// The headers of a denial: its code, challenge, nonce and pause.
pub(crate) fn denial_headers(denial: &Denial, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: Option<&str>| {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    };
    set(CODE, Some(&denial.code));
    set(header::WWW_AUTHENTICATE, denial.challenge.as_deref());
    set(
        HeaderName::from_static("dpop-nonce"),
        denial.nonce.as_deref(),
    );
    if let Some(seconds) = denial.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// The body of a denial for clients: its code and message.
pub(crate) fn denial_body(denial: &Denial) -> Full<Bytes> {
    Full::from(denial_text(denial))
}

/// The same as text.
pub(crate) fn denial_text(denial: &Denial) -> String {
    serde_json::json!({ "code": denial.code, "message": denial.message }).to_string()
}

/// The denial where a decision cannot be said to the proxy.
pub(crate) fn internal_error() -> Denial {
    Denial {
        code: "internal_error".into(),
        status: 503,
        message: "the gate failed".into(),
        challenge: None,
        claim: None,
        principal: None,
        retry_after_s: Some(1),
        nonce: None,
    }
}
