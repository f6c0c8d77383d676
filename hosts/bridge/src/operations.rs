//! What an orchestrator and a monitor ask: `/livez`, `/readyz`, `/metrics`. At an address of
//! their own.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, StatusCode, header};

use crate::{app::App, metrics::Now};

type Text = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(|| async { text(StatusCode::OK, "alive\n") }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn readyz(State(app): State<Arc<App>>) -> Text {
    match app.is_ready().await {
        true => text(StatusCode::OK, "ready\n"),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (keys, key_age_s) = app.keys.ages();
    let now = Now {
        is_ready: app.is_ready().await,
        keys,
        key_age_s,
        revoked: app.revocations.size(),
        api_keys: app.api_keys.as_ref().map(|keys| keys.entries()),
        providers: app.providers.opened(),
    };
    match app.metrics.text(&now) {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, METRICS),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, text).into_response()
        }
        Err(_) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            text(status, "the metrics cannot be written\n").into_response()
        }
    }
}

fn text(status: StatusCode, text: &'static str) -> Text {
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}
