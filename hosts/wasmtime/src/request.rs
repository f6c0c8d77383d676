//! A request as bytes, the way the module takes it.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderName, Method, Uri, header::HOST};

use crate::bindings::exports::countersign::gate::gate as wit;

/// One header field: the name in lower case, the value as raw bytes.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request, as the gate sees it. Nothing here needs to be valid. `{:?}` shows
/// no header's value and no query.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `Host` or `:authority`; empty where there is none.
    pub authority: &'a [u8],
    /// Request target in origin form, query included (RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// Header fields in order, repeated names repeated.
    pub headers: &'a [Header<'a>],
}

impl<'a> Request<'a> {
    pub(crate) fn to_wit(self) -> wit::Request<'a> {
        wit::Request {
            method: self.method,
            authority: self.authority,
            target: self.target,
            headers: self.headers,
        }
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

/// What a gate needs of an HTTP request: without its body, so that a body
/// that is not `Sync` does not stand in the way.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    /// With what [`Self::authority`] and [`Self::headers`] made of it.
    pub(crate) fn request<'b>(&self, authority: &'b [u8], headers: &'b [Header<'b>]) -> Request<'b>
    where
        'a: 'b,
    {
        Request {
            method: self.method.as_str().as_bytes(),
            authority,
            target: self.target(),
            headers,
        }
    }

    /// Wherever it is said. Two that differ stay visible as such, for the gate
    /// to refuse: it cannot know which one the service behind it reads.
    pub(crate) fn authority(&self) -> Cow<'a, [u8]> {
        let in_target = self
            .uri
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        let in_headers = self
            .headers
            .get_all(HOST)
            .iter()
            .map(|value| value.as_bytes());
        let mut all = in_target.into_iter().chain(in_headers);
        let first = all.next().unwrap_or_default();
        all.filter(|other| !other.eq_ignore_ascii_case(first))
            .fold(Cow::Borrowed(first), |joined, other| {
                Cow::Owned([&joined, other].join(&b", "[..]))
            })
    }

    fn target(&self) -> &'a [u8] {
        self.uri
            .path_and_query()
            .map_or(b"", |target| target.as_str().as_bytes())
    }

    /// The headers of these names, and no others: nothing else crosses over.
    pub(crate) fn headers<'b>(&self, reads: &'b [HeaderName]) -> Vec<Header<'b>>
    where
        'a: 'b,
    {
        reads
            .iter()
            .flat_map(|name| {
                let values = self.headers.get_all(name).iter();
                values.map(move |value| (name.as_str().as_bytes(), value.as_bytes()))
            })
            .collect()
    }
}
