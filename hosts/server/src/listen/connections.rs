//! Connections of proxies.

use std::{net::IpAddr, sync::Arc, time::Duration};

use countersign_host::Connection;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time,
};
use tokio_rustls::TlsAcceptor;

use super::{
    early::Early,
    socket::{Socket, Stream},
};
use crate::{
    config::{Limits, STRANGERS},
    metrics::Metrics,
    peer::{self, Peer},
    serve::Server,
};

/// After a connection that could not be accepted: perhaps there are no file descriptors,
/// and others are closed soon.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection may take to begin.
const BEGIN: Duration = Duration::from_secs(10);

/// Handshakes at a time: who has not shown a certificate yet takes no other place.
const HANDSHAKES: usize = 256;

/// Questions at a time on one connection of HTTP/2.
const STREAMS: u32 = 256;

/// What is kept of bodies that nobody reads; a question over gRPC is one.
const STREAM_BYTES: u32 = 128 << 10;
const CONNECTION_BYTES: u32 = 1 << 20;

/// A peer of HTTP/2 that is gone is noticed by these.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WITHIN: Duration = Duration::from_secs(20);

type Http = Builder<TokioExecutor>;

/// Answers until `stop` is done, then what is under way, within bounds.
pub(crate) async fn run(socket: Socket, server: Server, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let limits = server.config().limits.clone();
    let doors = Doors::new(&limits, server.config().introspection.is_some());
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                while tasks.try_join_next().is_some() {}
                match accepted {
                    Ok(stream) => {
                        let entering = doors.enter(stream, &server, graceful.watcher());
                        if let Some(connection) = entering {
                            tasks.spawn(connection);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        time::sleep(PAUSE).await;
                    }
                }
            }
            () = &mut stop => break,
        }
    }
    // New connections find nobody, and not one that closes them.
    drop(socket);
    if time::timeout(limits.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were closed before their end");
    }
    tasks.shutdown().await;
}

/// The places of connections.
struct Doors {
    proxies: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    for_proxies: Arc<Http>,
    for_strangers: Arc<Http>,
}

impl Doors {
    fn new(limits: &Limits, has_callers: bool) -> Self {
        let places = |places| Arc::new(Semaphore::new(places));
        // A caller of the introspection endpoint need not be a proxy.
        let strangers = if has_callers {
            limits.connections
        } else {
            STRANGERS
        };
        Self {
            proxies: places(limits.connections),
            strangers: places(strangers),
            handshakes: places(HANDSHAKES),
            for_proxies: http(limits, limits.idle).into(),
            for_strangers: http(limits, BEGIN).into(),
        }
    }

    /// The task of a connection; `None` if there is no place for it: it is closed at once.
    fn enter(
        &self,
        stream: Stream,
        server: &Server,
        watcher: Watcher,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let config = server.config();
        let is_expected = match (&stream, &config.trusted_proxies) {
            (Stream::Tcp(_, address), Some(networks)) => peer::is_among(*address, networks),
            // The certificate alone says it.
            (Stream::Tcp(..), None) | (Stream::Unix(_), _) => true,
        };
        let places = match is_expected {
            true => &self.proxies,
            false => &self.strangers,
        };
        let place = places.clone().try_acquire_owned().ok();
        let acceptor = server.tls().map(|tls| tls.acceptor());
        let handshake = match &acceptor {
            Some(_) => self.handshakes.clone().try_acquire_owned().ok().map(Some),
            None => Some(None),
        };
        let metrics = server.metrics().cloned();
        let (Some(place), Some(handshake)) = (place, handshake) else {
            if let Some(metrics) = metrics {
                metrics.refused_connection("limit");
            }
            return None;
        };
        let http = match is_expected {
            true => self.for_proxies.clone(),
            false => self.for_strangers.clone(),
        };
        let entered = Entered {
            http,
            server: server.clone(),
            watcher,
            counted: Counted::new(metrics, place),
        };
        Some(async move {
            match stream {
                Stream::Unix(stream) => entered.serve(stream, Peer::UNIX).await,
                Stream::Tcp(stream, address) => match acceptor {
                    None => {
                        let peer = Peer {
                            address: Some(address),
                            is_trusted: is_expected,
                            certificate: None,
                        };
                        entered.serve(stream, peer).await;
                    }
                    Some(acceptor) => {
                        entered
                            .shake((stream, address), acceptor, handshake, is_expected)
                            .await
                    }
                },
            }
        })
    }
}

/// A connection that has a place.
struct Entered {
    http: Arc<Http>,
    server: Server,
    watcher: Watcher,
    counted: Counted,
}

impl Entered {
    async fn shake(
        self,
        (stream, address): (TcpStream, IpAddr),
        acceptor: TlsAcceptor,
        handshake: Option<OwnedSemaphorePermit>,
        is_expected: bool,
    ) {
        let shaken = time::timeout(BEGIN, acceptor.accept(stream)).await;
        drop(handshake);
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            failed => {
                // Its text has no bytes of the peer.
                let error = failed.map(|shaken| shaken.err().map(|error| error.to_string()));
                tracing::debug!(?error, "a handshake failed");
                if let Some(metrics) = self.server.metrics() {
                    metrics.refused_connection("tls");
                }
                return;
            }
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let certificate = certificates.and_then(<[_]>::first);
        let certificate =
            certificate.and_then(|der| Connection::default().with_certificate(der).certificate);
        let needs_one = self.server.config().trusted_proxies.is_none();
        let peer = Peer {
            address: Some(address),
            is_trusted: is_expected && (certificate.is_some() || !needs_one),
            certificate,
        };
        self.serve(stream, peer).await;
    }

    async fn serve<S>(self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            http,
            server,
            watcher,
            counted,
        } = self;
        let service = service_fn(move |request| {
            let server = server.clone();
            async move { server.ask(request, peer).await }
        });
        let stream = TokioIo::new(Early::new(stream, BEGIN));
        // What a peer does wrong, or that it goes away, is no event for an operator.
        if let Err(error) = watcher.watch(http.serve_connection(stream, service)).await {
            tracing::debug!(%error, "a connection ended");
        }
        drop(counted);
    }
}

/// One place, and one connection in the metrics, until it is dropped.
struct Counted {
    metrics: Option<Arc<Metrics>>,
    _place: OwnedSemaphorePermit,
}

impl Counted {
    fn new(metrics: Option<Arc<Metrics>>, place: OwnedSemaphorePermit) -> Self {
        if let Some(metrics) = &metrics {
            metrics.connected(1);
        }
        Self {
            metrics,
            _place: place,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.connected(-1);
        }
    }
}

fn http(limits: &Limits, idle: Duration) -> Http {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(limits.header_bytes as usize);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_BYTES)
        .initial_connection_window_size(CONNECTION_BYTES)
        .max_header_list_size(limits.header_bytes)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN);
    http
}
