//! The address of a document, split into the parts of an HTTP request.

/// The parts of an absolute `http` or `https` URL without user and fragment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(crate) scheme: &'a str,
    /// The host, and the port if the URL has one.
    pub(crate) authority: &'a str,
    pub(crate) host: &'a str,
    /// The port, or the default port of the scheme.
    pub(crate) port: &'a str,
    /// Path and query as they are in the URL. An empty path has no `/`.
    target: &'a str,
}

impl<'a> Address<'a> {
    pub(crate) fn of(uri: &'a str) -> Option<Self> {
        let (scheme, default_port, rest) = match uri.strip_prefix("https://") {
            Some(rest) => ("https", "443", rest),
            None => ("http", "80", uri.strip_prefix("http://")?),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address are inside brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, default_port),
        };
        Some(Self {
            scheme,
            authority,
            host,
            port,
            target,
        })
    }

    /// Returns whether the port is the default port of the scheme.
    pub(crate) fn has_default_port(&self) -> bool {
        matches!((self.scheme, self.port), ("https", "443") | ("http", "80"))
    }

    /// Returns path and query (RFC 9112 §3.2.1).
    pub(crate) fn path(&self) -> String {
        let slash = if self.target.starts_with('/') {
            ""
        } else {
            "/"
        };
        [slash, self.target].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn a_url_is_split_into_its_parts() {
        for (uri, authority, host, port, path) in [
            (
                "https://a.example/jwks?x=1",
                "a.example",
                "a.example",
                "443",
                "/jwks?x=1",
            ),
            ("http://a.example", "a.example", "a.example", "80", "/"),
            (
                "https://a.example:8443?x",
                "a.example:8443",
                "a.example",
                "8443",
                "/?x",
            ),
            ("https://[::1]/", "[::1]", "[::1]", "443", "/"),
            ("https://[::1]:8443/k", "[::1]:8443", "[::1]", "8443", "/k"),
        ] {
            let address = Address::of(uri).unwrap();
            let seen = (
                address.authority,
                address.host,
                address.port,
                &*address.path(),
            );
            assert_eq!(seen, (authority, host, port, path), "{uri}");
        }
        assert_eq!(Address::of("ftp://a.example/"), None);
        assert_eq!(Address::of("a.example"), None);
    }
}
