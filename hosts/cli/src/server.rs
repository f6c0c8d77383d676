//! A server over plain HTTP, for clients on this machine.

use std::{convert::Infallible, sync::Arc};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// Makes the response to a request.
pub(crate) type Answer = dyn Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync;

/// Serves until it is dropped, which closes open connections.
pub(crate) async fn serve(listener: TcpListener, answer: Arc<Answer>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Perhaps there are no file descriptors: others may be closed soon.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request);
                async { Ok::<_, Infallible>(response) }
            });
            // A client that closes the connection is no error.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
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
