//! Who asks: the address of the client, also behind proxies.

use std::net::IpAddr;

use countersign_host::Connection;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The address of the client. `x-forwarded-for` counts only from a proxy that is trusted,
/// and only as far as such proxies have written it: whatever stands before that a client
/// may have sent itself.
pub(crate) fn address(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let connection: Option<&Connection> = extensions.get();
    let peer = connection?.peer?.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let fields = headers.get_all("x-forwarded-for").iter();
    let fields: Vec<_> = fields.filter_map(|field| field.to_str().ok()).collect();
    let mut nearest = peer;
    for item in fields.join(",").rsplit(',') {
        // What is no address ends it: nobody knows what stands before.
        let Ok(address) = item.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
        if !is_trusted(nearest) {
            break;
        }
    }
    Some(nearest)
}

#[cfg(test)]
mod tests {
    use countersign_host::Connection;
    use http::{Extensions, HeaderMap, HeaderValue};

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Connection {
            peer: Some(peer.parse().unwrap()),
            ..Connection::default()
        });
        let mut headers = HeaderMap::new();
        for field in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(field).unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        super::address(&extensions, &headers, &trusted)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_what_trusted_proxies_have_written_counts() {
        assert_eq!(address("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(address("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            address("10.0.0.1", &["1.1.1.1, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            address("10.0.0.1", &["1.1.1.1", "198.51.100.7, 10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(address("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(address("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }
}
