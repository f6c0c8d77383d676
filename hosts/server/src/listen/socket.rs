//! An open socket of either kind.

use std::{io, net::IpAddr};

use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::unix::UnixSocket;
use crate::config::Address;

/// An open socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Socket {
    pub(super) async fn bind(address: &Address, mode: u32) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => UnixSocket::bind(path, mode).map(Self::Unix),
        }
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream, address.ip()))
            }
            Self::Unix(socket) => socket.accept().await.map(Stream::Unix),
        }
    }
}
