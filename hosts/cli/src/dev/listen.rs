//! Where a development issuer listens.

use std::net::SocketAddr;

use countersign_dev_issuer::Issuer;
use tokio::net::TcpListener;

use crate::failure::Failure;

/// The address of the issuer's URL, or the given one.
pub(super) fn address(issuer: &Issuer, given: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
    let url = &issuer.url;
    given.or_else(|| address_of(url)).ok_or_else(|| {
        Failure::Usage(format!(
            "`{url}` names no local address: use `--listen IP:PORT`"
        ))
    })
}

/// A listener, and its address.
pub(super) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen on `{address}`: {error}")))?;
    let bound = listener.local_addr().unwrap_or(address);
    Ok((listener, bound))
}

/// The address of an `http` URL with an IP address or `localhost`.
fn address_of(url: &str) -> Option<SocketAddr> {
    let uri: hyper::Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str().replace("localhost", "127.0.0.1");
    authority
        .parse()
        .ok()
        .or_else(|| format!("{authority}:80").parse().ok())
}
