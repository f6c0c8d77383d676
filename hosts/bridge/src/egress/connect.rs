//! Connections to addresses that were checked: after DNS, and to those very addresses.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;

use super::addresses::is_public;

/// Where a client may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Networks that are not of the internet, too: the address is of the configuration.
    is_configured: bool,
    /// This machine itself too, and there by plain `http`: for development.
    is_development: bool,
}

impl Reach {
    /// The public internet: somebody else gave the address.
    pub(crate) const PUBLIC: Self = Self {
        is_configured: false,
        is_development: false,
    };

    /// Every network: the address is of the configuration.
    pub(crate) const CONFIGURED: Self = Self {
        is_configured: true,
        is_development: false,
    };

    /// The switch for development.
    pub(crate) const fn and_this_machine(self, is_development: bool) -> Self {
        Self {
            is_development,
            ..self
        }
    }

    pub(super) fn may_be_plain(self) -> bool {
        self.is_development
    }

    fn has(self, address: IpAddr, is_https: bool) -> bool {
        let is_here = address.to_canonical().is_loopback();
        let is_other = self.is_configured || is_public(address);
        self.is_development && is_here || is_https && is_other
    }
}

/// The addresses of a name.
pub(crate) type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// What asks the DNS.
pub(crate) trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name, or of an address in any form that the system knows.
    fn resolve(&self, host: &str) -> Resolved;
}

/// The resolver of the system.
#[derive(Debug)]
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Resolved {
        let host = host.to_owned();
        Box::pin(async move {
            let found = lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Connects. One lookup for each connection, whose answer is checked and then used: a name
/// that has another address at the next lookup gets nothing by it.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) reach: Reach,
    pub(super) resolver: Arc<dyn Resolve>,
}

/// The address is not one that may be connected to.
#[derive(Debug)]
pub(super) struct OutOfReach;

impl Connector {
    /// The addresses of this URL's host, if all of them are within reach: of a name with
    /// several, who gave it chooses which is tried.
    pub(super) async fn addresses(&self, uri: &Uri) -> io::Result<Vec<SocketAddr>> {
        let is_https = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.resolver.resolve(host).await?,
        };
        let is_within = |address: &IpAddr| self.reach.has(*address, is_https);
        if found.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            ));
        }
        if !found.iter().all(is_within) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, OutOfReach));
        }
        let with_port = |address| SocketAddr::new(address, port);
        Ok(found.into_iter().map(with_port).collect())
    }

    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let addresses = self.addresses(&uri).await?;
        let stream = TcpStream::connect(&*addresses).await?;
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is not of the public internet, or not asked by https")
    }
}

impl std::error::Error for OutOfReach {}
