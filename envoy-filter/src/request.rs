//! A request, read from its header map.

use countersign::{Connection, Header, Request};

use crate::pairs;

/// The fields of a header map, in order.
#[derive(Default)]
pub(crate) struct Head<'a>(Vec<Header<'a>>);

impl<'a> Head<'a> {
    /// `None` if the bytes are not a valid header map.
    pub(crate) fn parse(map: &'a [u8]) -> Option<Self> {
        pairs::parse(map).map(Self)
    }

    /// Returns the request for the gate. `:path` is the client's path as Envoy
    /// normalised it. Routes rewrite it after the filters.
    pub(crate) fn request<'r>(&'r self, certificate: Option<&'r [u8; 32]>) -> Request<'r> {
        Request {
            method: self.value(b":method"),
            authority: self.value(b":authority"),
            target: self.value(b":path"),
            headers: &self.0,
            connection: Connection {
                scheme: self.value(b":scheme"),
                certificate: certificate.map_or(&[], |hash| hash.as_slice()),
                // The address that Envoy knows can come from `x-forwarded-for`.
                peer: b"",
            },
        }
    }

    /// Returns the names of all fields, unchanged.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(|(name, _)| *name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values(name.as_bytes()).next().is_some()
    }

    pub(crate) fn values(&self, wanted: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(name, _)| *name == wanted)
            .map(|(_, value)| *value)
    }

    /// Returns the first value, or an empty one.
    fn value(&self, wanted: &[u8]) -> &'a [u8] {
        self.values(wanted).next().unwrap_or_default()
    }

    /// Returns whether the request is a CORS preflight (Fetch §3.2.2
    /// "CORS-preflight request"). A browser sends it without credentials.
    pub(crate) fn is_cors_preflight(&self) -> bool {
        self.value(b":method") == b"OPTIONS"
            && self.has("origin")
            && self.has("access-control-request-method")
    }

    /// Returns whether Envoy treats the request as gRPC. Then it converts a
    /// local response to gRPC.
    pub(crate) fn is_grpc(&self) -> bool {
        match self
            .value(b"content-type")
            .strip_prefix(b"application/grpc")
        {
            Some(rest) => rest.is_empty() || rest.starts_with(b"+"),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(content_type: &str) -> Vec<u8> {
        pairs::write(&[
            (":method", "OPTIONS"),
            ("origin", "o"),
            ("content-type", content_type),
        ])
    }

    #[test]
    fn grpc_is_recognised_by_its_content_type() {
        for (content_type, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
            ("", false),
        ] {
            let map = map(content_type);
            assert_eq!(Head::parse(&map).unwrap().is_grpc(), grpc, "{content_type}");
        }
    }

    #[test]
    fn options_alone_is_not_a_preflight() {
        let plain = map("");
        assert!(!Head::parse(&plain).unwrap().is_cors_preflight());
        let preflight = pairs::write(&[
            (":method", "OPTIONS"),
            ("origin", "https://app.example.com"),
            ("access-control-request-method", "PUT"),
        ]);
        assert!(Head::parse(&preflight).unwrap().is_cors_preflight());
    }
}
