//! A request: as a host hands it in, its target read in one way or refused, the
//! rule that it falls under, and the credential that it brings. Uses `base`,
//! `refusal` and `model`.

mod case;
pub(crate) mod credential;
pub(crate) mod router;
pub(crate) mod target;

pub(crate) use router::Router;

/// One header field: the name in lower case, the value as raw bytes.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request, as the gate sees it. Nothing here needs to be valid.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `:authority`, or the authority of a target in absolute form; empty where
    /// there is none: then the `host` field counts. Where both are there they
    /// must say the same.
    pub authority: &'a [u8],
    /// Request target in origin form, query included (RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// Header fields in order, repeated names repeated; in HTTP/2 and 3 also
    /// the pseudo-header `:protocol`. A host may leave out all but those whose
    /// name, with `_` read as `-`, [`Gate::reads`](crate::Gate::reads) lists.
    pub headers: &'a [Header<'a>],
}

impl<'a> Request<'a> {
    /// The values of the fields of this name.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter();
        headers
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
    }
}
