//! Publishes an issuer's documents over plain HTTP.

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

/// The document at a path, if there is one.
pub(crate) type Documents = dyn Fn(&str) -> Option<Value> + Send + Sync;

/// Answers until it is dropped: open connections end with it.
pub(crate) async fn serve(
    listener: TcpListener,
    documents: Arc<Documents>,
    log: fn(&str, StatusCode),
) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps: others may be closed soon.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let documents = Arc::clone(&documents);
        connections.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&*documents, request.uri().path());
                log(request.uri().path(), response.status());
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

fn answer(documents: &Documents, path: &str) -> Response<Full<Bytes>> {
    match documents(path) {
        Some(document) => Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header(CACHE_CONTROL, "max-age=60")
            .body(Full::from(format!("{document:#}\n")))
            .unwrap_or_default(),
        None => {
            let mut response = Response::new(Full::from("not found\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}
