//! Who asks.

use std::net::IpAddr;

use ipnet::IpNet;

/// The other end of a connection to this server.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "not all are asked by each endpoint")]
pub(crate) struct Peer {
    /// Its address; `None` at a Unix socket.
    pub(crate) address: Option<IpAddr>,
    /// Whether it may say which request it asks about.
    pub(crate) is_trusted: bool,
    /// The SHA-256 of the certificate with which it has authenticated, in DER.
    pub(crate) certificate: Option<[u8; 32]>,
}

impl Peer {
    /// Whoever may open the Unix socket, which its mode decides.
    pub(crate) const UNIX: Self = Self {
        address: None,
        is_trusted: true,
        certificate: None,
    };
}

/// Whether an address is one of these. An IPv4 client of an IPv6 socket has a mapped
/// address.
pub(crate) fn is_among(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn an_ipv4_peer_is_the_same_at_an_ipv6_socket() {
        let networks = ["10.0.0.0/24".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let table = [
            ("10.0.0.7", true),
            ("::ffff:10.0.0.7", true),
            ("10.0.1.7", false),
            ("::ffff:10.0.1.7", false),
            ("fd00::1", true),
            ("::1", false),
            ("::10.0.0.7", false),
        ];
        for (address, expected) in table {
            assert_eq!(
                is_among(address.parse().unwrap(), &networks),
                expected,
                "{address}"
            );
        }
    }
}
