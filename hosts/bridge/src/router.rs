//! All routes, and what holds for each of them: bounds of size, number and time, and
//! headers that a browser obeys.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};
use tokio::{sync::Semaphore, time};

use crate::{
    app::App,
    exchange, introspect, login,
    metrics::Metrics,
    own_keys, own_providers, pairing, published,
    refusal::{Code, Refusal},
    revoke, token,
};

/// What every response has, unless its room says more.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
];

/// Two years, as browsers' lists ask for.
const STRICT_TRANSPORT: &str = "max-age=63072000";

#[derive(Clone)]
struct Bounds {
    places: Arc<Semaphore>,
    time: Duration,
    is_https: bool,
    metrics: Arc<Metrics>,
}

/// The routes of all rooms.
pub(crate) fn router(app: Arc<App>) -> Router {
    let limits = &app.config.limits;
    let bounds = Bounds {
        places: Arc::new(Semaphore::new(limits.requests)),
        time: limits.request,
        is_https: !app.config.issuer.is_http(),
        metrics: app.metrics.clone(),
    };
    let body_bytes = limits.body_bytes;
    let api_keys = match app.api_keys {
        Some(_) => own_keys::routes(),
        None => Router::new(),
    };
    let own_providers = match app.config.login.organisations {
        Some(_) => own_providers::routes(),
        None => Router::new(),
    };
    Router::new()
        .merge(published::routes())
        .merge(token::routes())
        .merge(revoke::routes())
        .merge(introspect::routes())
        .merge(api_keys)
        .merge(own_providers)
        .merge(pairing::routes())
        .merge(login::routes())
        .merge(exchange::routes())
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(middleware::from_fn_with_state(bounds, within))
        .with_state(app)
}

async fn within(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    // At once, and not after a wait: who waits asks again meanwhile.
    let answered = match bounds.places.try_acquire() {
        Ok(_place) => time::timeout(bounds.time, next.run(request)).await.ok(),
        Err(_) => None,
    };
    let mut response = answered.unwrap_or_else(|| Refusal::unavailable().into_response());
    if let Some(code) = response.extensions().get::<Code>() {
        bounds.metrics.refused(code.as_str());
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if bounds.is_https {
        let strict = HeaderValue::from_static(STRICT_TRANSPORT);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, strict);
    }
    response
}
