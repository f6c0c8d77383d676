//! What an orchestrator and a monitor ask: `/livez`, `/readyz`. At an address of their own.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use http::{HeaderName, StatusCode, header};

use crate::app::App;

type Text = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(|| async { text(StatusCode::OK, "alive\n") }))
        .route("/readyz", get(readyz))
        .with_state(app)
}

async fn readyz(State(app): State<Arc<App>>) -> Text {
    match app.is_ready().await {
        true => text(StatusCode::OK, "ready\n"),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

fn text(status: StatusCode, text: &'static str) -> Text {
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}
