//! A server over plain HTTP, for clients on this machine.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HOST},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// Makes the response to a request with its whole body.
pub(crate) type Answer = dyn Fn(&Request<Bytes>) -> Response<Full<Bytes>> + Send + Sync;

/// A form is far below.
const MAX_BODY_BYTES: usize = 64 * 1024;
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Serves until it is dropped, which closes open connections.
pub(crate) async fn serve(listener: TcpListener, answer: Arc<Answer>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Perhaps there are no file descriptors: others may be closed soon.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async {
                let response = match whole(request).await {
                    Ok(request) => answer(&request),
                    Err(refusal) => refusal,
                };
                Ok::<_, Infallible>(response)
            });
            // A client that closes the connection is no error.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The request with its whole body, or the response that refuses it.
async fn whole(request: Request<Incoming>) -> Result<Request<Bytes>, Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_WITHIN, body).await {
        Ok(Ok(body)) => Ok(Request::from_parts(parts, body.to_bytes())),
        Ok(Err(_)) => Err(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too long, or cut off",
        )),
        Err(_) => Err(refusal(
            StatusCode::REQUEST_TIMEOUT,
            "the body comes too slowly",
        )),
    }
}

/// Whether a request names this host, and no other. A page of another site whose name
/// was made to resolve to this machine (DNS rebinding) names that site.
pub(crate) fn is_for<B>(request: &Request<B>, names: &[String]) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    names.iter().any(|name| host == name)
}

/// A response with a JSON document, or 404.
pub(crate) fn document(found: Option<Value>) -> Response<Full<Bytes>> {
    match found {
        Some(document) => Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header(CACHE_CONTROL, "max-age=60")
            .body(Full::from(format!("{document:#}\n")))
            .unwrap_or_default(),
        None => refusal(StatusCode::NOT_FOUND, "not found"),
    }
}

/// An error response of one sentence.
pub(crate) fn refusal(status: StatusCode, sentence: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    response
}
