//! The listener: connections become questions.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
};

use crate::{Server, config::Address, peer::Peer};

/// An open listener.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

impl Listener {
    /// Opens it.
    ///
    /// # Errors
    /// The address is in use, or may not be used.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => UnixListener::bind(path).map(Self::Unix),
        }
    }

    /// The address on which it listens.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix(listener) => {
                let path = listener.local_addr()?.as_pathname().map(PathBuf::from);
                path.map(Address::Unix)
                    .ok_or(io::ErrorKind::AddrNotAvailable.into())
            }
        }
    }
}

pub(crate) async fn run(
    listener: Listener,
    server: Server,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut stop = std::pin::pin!(stop);
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = accept(&listener) => match accepted {
                Ok((stream, peer)) => connection(stream, peer, server.clone(), &graceful),
                // Of one connection, or too many open files: the next may be good.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    graceful.shutdown().await;
    Ok(())
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn accept(listener: &Listener) -> io::Result<(Box<dyn Stream>, Peer)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, address): (_, SocketAddr) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream), Peer::Tcp(address.ip())))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Box::new(stream), Peer::Unix))
        }
    }
}

fn connection(stream: Box<dyn Stream>, peer: Peer, server: Server, graceful: &GracefulShutdown) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(10));
    http.http2().timer(TokioTimer::new());
    let service = service_fn(move |request| {
        let server = server.clone();
        async move { server.ask(request, peer).await }
    });
    let connection = http
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that goes away is nobody's fault.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
    });
}
