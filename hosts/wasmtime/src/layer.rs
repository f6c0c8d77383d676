//! The gate as a tower layer: denials are answered here, granted requests
//! pass with a [`Grant`] in their extensions.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_TYPE, COOKIE, InvalidHeaderName, InvalidHeaderValue, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Decision, Denial, Gate, Grant};

/// Puts a [`Gate`] in front of a service.
///
/// A denial is answered with its status, `WWW-Authenticate`, `Retry-After`
/// and a body `{"code": …, "message": …}`. A granted request goes on with the
/// grant's headers removed and set, and the [`Grant`] in its extensions.
///
/// The gate sees the target as this layer does: in axum, put it on the
/// outermost router, as a nested one no longer sees the prefix.
#[derive(Clone, Debug)]
pub struct GateLayer {
    gate: Gate,
}

impl GateLayer {
    /// A layer that asks this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService {
            gate: self.gate.clone(),
            inner,
        }
    }
}

/// A service with a [`Gate`] in front: made by [`GateLayer`].
#[derive(Clone, Debug)]
pub struct GateService<S> {
    gate: Gate,
    inner: S,
}

impl<S, Body, ResponseBody> Service<Request<Body>> for GateService<S>
where
    S: Service<Request<Body>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send,
    Body: Send + 'static,
    ResponseBody: From<Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready goes with this request.
        let ready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, ready);
        let gate = self.gate.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let grant = match gate.check_parts(&parts).await {
                Decision::Allow(grant) => grant,
                Decision::Deny(denial) => return Ok(answer(&denial)),
            };
            if apply(&grant, &mut parts.headers).is_err() {
                return Ok(answer(&Denial::internal_error()));
            }
            parts.extensions.insert(grant);
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

/// The answer to a denied request.
fn answer<Body: From<Bytes>>(denial: &Denial) -> Response<Body> {
    let text = serde_json::json!({ "code": denial.code, "message": denial.message }).to_string();
    let mut response = Response::new(Body::from(Bytes::from(text)));
    *response.status_mut() =
        StatusCode::from_u16(denial.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let challenge = denial.challenge.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(challenge)) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = denial.retry_after_s {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Removes first, then sets. An error leaves headers that must not be used.
fn apply(grant: &Grant, headers: &mut HeaderMap) -> Result<(), NotAHeader> {
    for name in &*grant.remove_headers {
        headers.remove(HeaderName::from_bytes(name.as_bytes())?);
    }
    if !grant.remove_cookies.is_empty() {
        remove_cookies(&grant.remove_cookies, headers)?;
    }
    for (name, value) in &*grant.set_headers {
        headers.insert(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }
    Ok(())
}

/// Takes cookies out of `cookie` (RFC 6265 §4.2.1), whatever the others hold.
fn remove_cookies(names: &[String], headers: &mut HeaderMap) -> Result<(), NotAHeader> {
    let is_kept = |pair: &&[u8]| {
        let name = pair
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        !names.iter().any(|removed| removed.as_bytes() == name)
    };
    let kept = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(is_kept)
        .collect::<Vec<_>>();
    let kept = if kept.is_empty() {
        None
    } else {
        Some(kept.join(&b"; "[..]))
    };
    headers.remove(COOKIE);
    if let Some(kept) = kept {
        headers.insert(COOKIE, HeaderValue::from_bytes(&kept)?);
    }
    Ok(())
}

/// A name or value that HTTP cannot carry.
struct NotAHeader;

impl From<InvalidHeaderName> for NotAHeader {
    fn from(_: InvalidHeaderName) -> Self {
        Self
    }
}

impl From<InvalidHeaderValue> for NotAHeader {
    fn from(_: InvalidHeaderValue) -> Self {
        Self
    }
}
