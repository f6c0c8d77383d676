//! What an orchestrator and a monitor ask: `/livez`, `/readyz`, `/metrics`.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{listen::Body, serve::Server};

/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn answer<B>(server: &Server, request: &Request<B>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/livez" => text(StatusCode::OK, "alive\n"),
        "/readyz" if server.is_ready() => text(StatusCode::OK, "ready\n"),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        "/metrics" => metrics(server),
        _ => text(StatusCode::NOT_FOUND, "not found\n"),
    }
}

fn metrics(server: &Server) -> Response<Body> {
    match server.metrics().map(|metrics| metrics.text()) {
        Some(Ok(metrics)) => {
            let mut response = text(StatusCode::OK, metrics);
            let kind = HeaderValue::from_static(METRICS);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        _ => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics cannot be written\n",
        ),
    }
}

/// A response of plain text, which no cache may keep.
pub(crate) fn text(status: StatusCode, text: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
