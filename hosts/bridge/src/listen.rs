//! Connections: bounded in number, in the time to begin, and in what they keep.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use countersign_host::Connection;
use countersign_server::TlsFiles;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time,
};
use tower_service::Service;

use crate::config::Limits;

/// After a connection that could not be accepted: perhaps there are no file descriptors,
/// and others are closed soon.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a handshake of TLS may take.
const BEGIN: Duration = Duration::from_secs(10);

/// Headers of a request.
const HEADER_BYTES: u32 = 64 << 10;

/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 64;

/// A peer of HTTP/2 that is gone is noticed by these.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WITHIN: Duration = Duration::from_secs(20);

type Http = Builder<TokioExecutor>;

/// Answers until `stop` is done, then what is under way, within bounds.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<Arc<TlsFiles>>,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let places = Arc::new(Semaphore::new(limits.connections));
    let http = Arc::new(http(limits));
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        while tasks.try_join_next().is_some() {}
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without a place it is closed at once.
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let entered = Entered {
            http: http.clone(),
            router: router.clone(),
            watcher: graceful.watcher(),
            address,
        };
        let tls = tls.clone();
        tasks.spawn(async move {
            entered.begin(stream, tls).await;
            drop(place);
        });
    }
    // New connections find nobody, and not one that closes them.
    drop(listener);
    if time::timeout(limits.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were closed before their end");
    }
    tasks.shutdown().await;
}

/// A connection that has a place.
struct Entered {
    http: Arc<Http>,
    router: Router,
    watcher: Watcher,
    address: SocketAddr,
}

impl Entered {
    async fn begin(self, stream: TcpStream, tls: Option<Arc<TlsFiles>>) {
        // It is faster with it, and good without.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            return self.serve(stream, false).await;
        };
        match time::timeout(BEGIN, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, true).await,
            failed => {
                // Its text has no bytes of the peer.
                let error: Option<io::Error> = failed.ok().and_then(Result::err);
                tracing::debug!(?error, "a handshake failed");
            }
        }
    }

    async fn serve<S>(self, stream: S, is_tls: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = Connection {
            peer: Some(self.address.ip()),
            tls: is_tls.then_some(true),
            ..Connection::default()
        };
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection);
            // A router is always ready.
            router.clone().call(request.map(Body::new))
        });
        let served = self.http.serve_connection(TokioIo::new(stream), service);
        // What a peer does wrong, or that it goes away, is no event for an operator.
        if let Err(error) = self.watcher.watch(served).await {
            tracing::debug!(%error, "a connection ended");
        }
    }
}

fn http(limits: &Limits) -> Http {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(HEADER_BYTES as usize);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN);
    http
}
