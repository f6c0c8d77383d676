//! A small server over HTTP/1.1: for operations and for the administrator.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
    task::JoinSet,
    time,
};

use super::{
    connections::PAUSE,
    socket::{Socket, Stream},
};

/// The body of a response.
pub(crate) type Body = Full<Bytes>;

/// Connections at a time.
const CONNECTIONS: usize = 64;

/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(30);

/// Answers until it is dropped.
pub(crate) async fn run<A, F>(socket: Socket, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = socket.accept().await;
        while tasks.try_join_next().is_some() {}
        let Ok(stream) = accepted else {
            time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let answer = answer.clone();
        tasks.spawn(async move {
            match stream {
                Stream::Tcp(stream, _) => serve(stream, answer).await,
                Stream::Unix(stream) => serve(stream, answer).await,
            }
            drop(place);
        });
    }
}

async fn serve<S, A, F>(stream: S, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    // A client that goes away is nobody's fault.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
