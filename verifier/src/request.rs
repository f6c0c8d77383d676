//! The request as a host hands it in: bytes, uninterpreted.

/// One header field: the name in lower case, the value as raw bytes.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request, as the gate sees it. Nothing here needs to be valid.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `Host` or `:authority`; empty where there is none.
    pub authority: &'a [u8],
    /// Request target in origin form, query included (RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// Header fields in order, repeated names repeated. A host may leave out
    /// all but those that [`Gate::reads`](crate::Gate::reads) lists.
    pub headers: &'a [Header<'a>],
}
