//! Requests: the type that a host fills, the parser of the target, the router
//! that finds the rule, and the credential. Uses `base`, `refusal`, `jose` and
//! `model`.

mod case;
pub(crate) mod certificate;
pub(crate) mod compared;
pub(crate) mod credential;
pub(crate) mod htu;
pub(crate) mod router;
pub(crate) mod target;

use countersign_kernel::bytes;

use crate::refusal::Code;

pub(crate) use router::Router;

/// One header field: the name in lower case, the value as raw bytes.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// A request. The gate validates every field.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method; it is case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `:authority`, or the authority of a target in absolute form. If it is
    /// empty, the gate uses the `host` field. If both are present, they must be
    /// equal.
    pub authority: &'a [u8],
    /// The request target in origin form, with its query (RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// The header fields in order, with repeated names. In HTTP/2 and HTTP/3
    /// they include the pseudo-header `:protocol`. A host can omit every field
    /// whose name, with `_` read as `-`, is not in
    /// [`Gate::reads`](crate::Gate::reads).
    pub headers: &'a [Header<'a>],
    /// What the host knows about the connection.
    pub connection: Connection<'a>,
}

/// What the host knows about the connection of a request. An empty value is one
/// that it does not know.
#[derive(Clone, Copy, Default)]
pub struct Connection<'a> {
    /// `http` or `https`, as the client used it.
    pub scheme: &'a [u8],
    /// The SHA-256 of the certificate by which the client has authenticated in
    /// TLS: 32 bytes.
    pub certificate: &'a [u8],
    /// The address of the peer: 4 or 16 bytes.
    pub peer: &'a [u8],
}

impl<'a> Request<'a> {
    /// Visits the parts of all fields with this name, without white space around
    /// them (RFC 9110 §5.6.1).
    pub(crate) fn each_in(
        &self,
        name: &str,
        separator: u8,
        visit: &mut dyn FnMut(&'a [u8]) -> Result<(), Code>,
    ) -> Result<(), Code> {
        for (field, value) in self.headers {
            if !is_named(field, name) {
            } else if bytes::contain(value, separator) {
                each_part(value, separator, &mut |part| visit(credential::trim(part)))?;
            } else {
                visit(credential::trim(value))?;
            }
        }
        Ok(())
    }

    /// Returns the values of all fields with this name.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter();
        headers
            .filter(move |(n, _)| is_named(n, name))
            .map(|(_, value)| *value)
    }
}

/// Returns whether a field has this lower-case name. Hosts pass lower-case
/// names, so the first comparison, of whole vectors, nearly always decides.
pub(crate) fn is_named(field: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    field.len() == name.len() && (bytes::equal(field, name) || field.eq_ignore_ascii_case(name))
}

/// Visits the parts of a text between separators. It is one function for lists,
/// cookies, queries and paths, where iterators would be compiled for each.
pub(crate) fn each_part<'a>(
    mut rest: &'a [u8],
    separator: u8,
    visit: &mut dyn FnMut(&'a [u8]) -> Result<(), Code>,
) -> Result<(), Code> {
    while let Some(at) = bytes::position(rest, separator) {
        visit(rest.get(..at).unwrap_or_default())?;
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
    }
    visit(rest)
}
