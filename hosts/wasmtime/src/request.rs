//! A request as the bytes that the module reads.

use std::fmt;

#[cfg(feature = "tower")]
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, Method, Uri};

use crate::{bindings::exports::countersign::gate::gate as wit, connection::Connection};

/// One header field: the name in lower case, the value as raw bytes.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request, as the gate sees it. Its parts need not be valid. `{:?}` shows
/// no header's value and no query.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `:authority`, or that of a target in absolute form; empty where there is
    /// none: then the `host` field counts. If both exist, they must be
    /// equal.
    pub authority: &'a [u8],
    /// Request target in origin form, query included (RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// Header fields in order, repeated names repeated; in HTTP/2 and 3 also the
    /// pseudo-header `:protocol`. Only those are needed whose name, with `_` read
    /// as `-`, [`Instance::reads`](crate::Instance::reads) lists.
    pub headers: &'a [Header<'a>],
    /// What is known about the connection.
    pub connection: Connection,
}

impl<'a> Request<'a> {
    /// Calls `f` with the request as the module reads it.
    pub(crate) fn as_wit<T>(&self, f: impl FnOnce(wit::Request<'_>) -> T) -> T {
        let (peer, length) = self.connection.peer_octets();
        let certificate = self.connection.certificate.as_ref();
        f(wit::Request {
            connection: wit::Connection {
                scheme: self.connection.scheme(),
                certificate: certificate.map_or(&[], |hash| hash.as_slice()),
                peer: &peer[..length],
            },
            method: self.method,
            authority: self.authority,
            target: self.target,
            headers: self.headers,
        })
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split(|byte| *byte == b'?').next();
        let names = self
            .headers
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name));
        f.debug_struct("Request")
            .field("method", &String::from_utf8_lossy(self.method))
            .field("authority", &String::from_utf8_lossy(self.authority))
            .field("path", &String::from_utf8_lossy(path.unwrap_or_default()))
            .field("headers", &names.collect::<Vec<_>>())
            .finish()
    }
}

/// The parts of an HTTP request that a gate needs: not the body, which need not be
/// `Sync`.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    pub(crate) fn of<B>(request: &'a http::Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// Without headers: [`Self::headers`] has them.
    pub(crate) fn request(&self) -> Request<'a> {
        Request {
            method: self.method.as_str().as_bytes(),
            authority: self.authority(),
            target: self.target(),
            headers: &[],
            connection: Connection::of(self.extensions),
        }
    }

    /// The authority of the target, or `:authority` in HTTP/2. The gate compares a
    /// `Host` field with it.
    fn authority(&self) -> &'a [u8] {
        let authority = self.uri.authority();
        authority.map_or(b"", |authority| authority.as_str().as_bytes())
    }

    fn target(&self) -> &'a [u8] {
        self.uri
            .path_and_query()
            .map_or(b"", |target| target.as_str().as_bytes())
    }

    /// The headers that decisions read; others are not copied into the module.
    pub(crate) fn headers(&self, reads: &Names) -> Vec<Header<'a>> {
        let fields = self.headers.iter();
        let mut headers = fields
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .filter(|(name, _)| reads.contain(name))
            .collect::<Vec<_>>();
        // A target behind CONNECT is that of an extended one (RFC 8441 §4):
        // the protocol itself stands where only the HTTP library sees it.
        if self.method == Method::CONNECT && self.uri.path_and_query().is_some() {
            headers.push((b":protocol", b"unknown"));
        }
        headers
    }
}

/// The same URI with another path and query.
#[cfg(feature = "tower")]
pub(crate) fn with_target(uri: &Uri, target: PathAndQuery) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).ok()
}

/// Names of headers, compared without case and with `_` equal to `-`: CGI, WSGI
/// and PHP read `x_auth` and `X-Auth` as one variable.
pub(crate) struct Names(Vec<String>);

impl Names {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    pub(crate) fn to_vec(&self) -> Vec<String> {
        self.0.clone()
    }

    /// Those of the fields whose names are among these.
    pub(crate) fn of<'a>(&self, headers: &[Header<'a>]) -> Vec<Header<'a>> {
        let fields = headers.iter().copied();
        fields.filter(|(name, _)| self.contain(name)).collect()
    }

    /// Whether it is one of them. A `HeaderName` is in lower case already.
    pub(crate) fn contain(&self, name: &[u8]) -> bool {
        self.0.iter().any(|known| is_same_name(known, name))
    }
}

/// Whether two names are equal in lower case with `_` read as `-`.
pub(crate) fn is_same_name(one: &str, other: &[u8]) -> bool {
    let plain = |byte: &u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    one.len() == other.len() && one.as_bytes().iter().map(plain).eq(other.iter().map(plain))
}
