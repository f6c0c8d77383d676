//! Who asks.

use std::net::IpAddr;

use ipnet::IpNet;

/// The other end of a connection to this server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Tcp(IpAddr),
    /// Whoever may open the socket, which its mode decides.
    Unix,
}

impl Peer {
    /// Whether it may say which request it asks about.
    pub(crate) fn is_trusted(self, proxies: &[IpNet]) -> bool {
        match self {
            // An IPv4 client of an IPv6 socket has a mapped address.
            Self::Tcp(address) => {
                let address = address.to_canonical();
                proxies.iter().any(|proxies| proxies.contains(&address))
            }
            Self::Unix => true,
        }
    }

    /// The network of one site: who has one address of it has all.
    pub(crate) fn network(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(match address.to_canonical() {
                IpAddr::V6(address) => {
                    let network = u128::from(address) & (u128::MAX << 64);
                    IpAddr::V6(network.into())
                }
                address => address,
            }),
            Self::Unix => None,
        }
    }

    /// The SHA-256 of the certificate with which it has authenticated in TLS.
    pub(crate) fn certificate(self) -> Option<[u8; 32]> {
        None
    }
}
