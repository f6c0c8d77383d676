//! The answer to a readiness probe.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde_json::{Value, json};
use tower_service::Service;

use crate::gate::Gate;

/// Answers 200 with `{"ready":true}` once a [`Gate`] is ready, and 503 before that,
/// with what is missing: `{"ready":false,"missing":[{"issuer":…,"kind":…}]}`. A service
/// for `/readyz`. It names no address.
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
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let gate = self.gate.clone();
        Box::pin(async move { Ok(answer(&gate).await) })
    }
}

async fn answer(gate: &Gate) -> Response<String> {
    let (status, body) = match gate.ready() {
        true => (StatusCode::OK, json!({ "ready": true })),
        false => {
            let missing = missing(gate).await;
            let body = json!({ "ready": false, "missing": missing });
            (StatusCode::SERVICE_UNAVAILABLE, body)
        }
    };
    let mut response = Response::new(format!("{body}\n"));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The documents that the gate waits for. A gate that fails says none.
async fn missing(gate: &Gate) -> Vec<Value> {
    let documents = gate.status().await.map(|status| status.documents);
    let documents = documents.unwrap_or_default().into_iter();
    documents
        .filter(|document| document.needed && document.age_ms.is_none())
        .map(|document| json!({ "issuer": document.issuer, "kind": document.kind.as_str() }))
        .collect()
}
