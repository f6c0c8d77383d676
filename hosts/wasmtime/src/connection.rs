//! What a server knows about the connection of a request.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// What a server knows about the connection of a request. The default knows
/// nothing.
///
/// [`GateLayer`](crate::GateLayer) and [`Gate::check`](crate::Gate::check) take it
/// from the request's extensions, where the code that accepts connections puts it.
/// It must come from the connection itself, never from a header: a header that a
/// proxy sets is named in the policy (`client_certificate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Whether the client used TLS; `None` if that is unknown, as behind a proxy.
    pub tls: Option<bool>,
    /// The SHA-256 of the certificate with which the client has authenticated in
    /// TLS, in DER. For tokens that are bound to it (RFC 8705).
    pub certificate: Option<[u8; 32]>,
    /// The address of the peer: the client's or a proxy's.
    pub peer: Option<IpAddr>,
}

impl Connection {
    /// With the certificate that the client has proven to own, in DER: the first of
    /// its chain (`peer_certificates` of rustls).
    #[must_use]
    pub fn with_certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(Sha256::digest(der).into());
        self
    }

    /// What the extensions of a request say.
    pub(crate) fn of(extensions: &http::Extensions) -> Self {
        let known: Option<&Self> = extensions.get();
        let mut connection = known.copied().unwrap_or_default();
        if connection.peer.is_none() {
            connection.peer = peer(extensions);
        }
        connection
    }

    pub(crate) fn scheme(&self) -> &'static [u8] {
        match self.tls {
            Some(true) => b"https",
            Some(false) => b"http",
            None => b"",
        }
    }

    /// The bytes of the address, and how many they are.
    pub(crate) fn peer_octets(&self) -> ([u8; 16], usize) {
        let mut octets = [0; 16];
        let length = match self.peer.map(|peer| peer.to_canonical()) {
            Some(IpAddr::V4(address)) => {
                octets[..4].copy_from_slice(&address.octets());
                4
            }
            Some(IpAddr::V6(address)) => {
                octets = address.octets();
                16
            }
            None => 0,
        };
        (octets, length)
    }
}

/// The address that `into_make_service_with_connect_info` of axum leaves.
#[cfg(feature = "axum")]
fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    let info: Option<&axum::extract::ConnectInfo<std::net::SocketAddr>> = extensions.get();
    info.map(|info| info.0.ip())
}

#[cfg(not(feature = "axum"))]
fn peer(_: &http::Extensions) -> Option<IpAddr> {
    None
}
