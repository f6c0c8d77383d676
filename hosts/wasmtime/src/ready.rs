//! The answer to a readiness probe.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use tower_service::Service;

use crate::gate::Gate;

/// Answers 200 once a [`Gate`] is ready, and 503 before that: a service for
/// `/readyz`.
///
/// In axum: `router.route_service("/readyz", ReadyService::new(gate))`, after the
/// [`GateLayer`](crate::GateLayer), so that the probe needs no token.
#[derive(Clone, Debug)]
pub struct ReadyService {
    gate: Gate,
}

impl ReadyService {
    /// A service that says whether this gate is ready.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<Body> Service<Request<Body>> for ReadyService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let (status, text) = match self.gate.ready() {
            true => (StatusCode::OK, "ready\n"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        };
        let mut response = Response::new(text.to_owned());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        ready(Ok(response))
    }
}
