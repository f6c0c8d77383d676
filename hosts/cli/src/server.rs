//! Answers over plain HTTP, for this machine.

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

/// The answer to a request, whatever it is.
pub(crate) type Answer = dyn Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync;

/// Answers until it is dropped: open connections end with it.
pub(crate) async fn serve(listener: TcpListener, answer: Arc<Answer>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps: others may be closed soon.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request);
                async { Ok::<_, Infallible>(response) }
            });
            // A client that goes away is no fault of ours.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// A JSON document, or that there is none.
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

/// An answer of one sentence.
pub(crate) fn refusal(status: StatusCode, sentence: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    response
}
