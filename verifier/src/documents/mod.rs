//! Documents that the host fetches: their kinds, their schedules, their
//! readers, and the current keys and revocations of each issuer. Uses `base`,
//! `json`, `refusal`, `jose` and `model`.

mod api_keys;
mod issuers;
mod revocation;
mod schedule;

use alloc::{borrow::Cow, boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::base::Problem;

pub(crate) use api_keys::{Found, claims_of};
use api_keys::{KeyTable, read_inline};
pub(crate) use issuers::Issuers;
pub(crate) use revocation::Revocable;
use revocation::Revoked;
use schedule::{Schedule, fresh_for_ms};

/// A document to fetch: GET, no redirects, within `timeout_ms` and `max_bytes`.
/// A host has at most one fetch in flight for each `source` and `uri`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Identifies the document in [`supply`](crate::Gate::supply), together
    /// with `uri`: a source can have several documents.
    pub source: u32,
    /// The issuer's `name` in the policy.
    pub issuer: Arc<str>,
    /// The kind of the document.
    pub kind: FetchKind,
    /// The address: `https`, or `http` only if the policy allows it.
    pub uri: Arc<str>,
    /// Lower-case names and values of headers. They can contain a secret.
    pub headers: Arc<[(Box<str>, Box<str>)]>,
    /// Maximum time of the whole fetch, in milliseconds.
    pub timeout_ms: u32,
    /// Maximum size of the body, in bytes.
    pub max_bytes: u32,
}

/// Does not show the headers, which can contain a secret.
impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("source", &self.source)
            .field("issuer", &self.issuer)
            .field("kind", &self.kind)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchKind {
    /// OpenID Provider metadata (OpenID Connect Discovery 1.0 §4).
    Discovery,
    /// A JWK Set (RFC 7517 §5).
    Jwks,
    /// A revocation document (the contract, "revocations").
    Revocations,
    /// A document of API keys (the contract, "API keys").
    ApiKeys,
}

impl FetchKind {
    /// Returns the stable name: `discovery`, `jwks`, `revocations` or `api_keys`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Revocations => "revocations",
            Self::ApiKeys => "api_keys",
        }
    }
}

/// The outcome of a fetch.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// The server answered.
    Response {
        /// HTTP status; only 200 supplies a document.
        status: u16,
        /// `Cache-Control` (RFC 9111 §5.2); empty if absent.
        cache_control: &'a str,
        /// Length of the whole body in bytes, after decoding any content
        /// coding.
        length: usize,
        /// The body, or its first part. [`resume`](crate::Gate::resume) takes
        /// the other parts, so that a host limits how much one call copies. The
        /// gate keeps the body while it reads it: owned bytes avoid a copy.
        body: Cow<'a, [u8]>,
    },
    /// There is no usable response: the connection was refused, it timed out,
    /// the server redirected, the body is too large, or the certificate is
    /// invalid.
    Failed,
}

/// The result of supplying a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supplied {
    /// The document is in force.
    Accepted {
        /// The number of keys, API keys or revocations in it that are used.
        used: u32,
        /// Parts that cannot be used, such as keys of an unknown type, and
        /// warnings about keys that are used.
        skipped: Vec<Problem>,
    },
    /// The document cannot be used. The old one stays in force.
    Refused(Problem),
    /// The document is not read completely. Call
    /// [`resume`](crate::Gate::resume), with the next part of the body if one
    /// is left, until it returns another result. Meanwhile the old document is
    /// in force.
    Unfinished,
    /// The source has no document at this address now. Nothing changed.
    Outdated,
}

/// The state of one document, for readiness probes and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentStatus {
    /// The issuer's `name` in the policy.
    pub issuer: Arc<str>,
    /// The kind of the document.
    pub kind: FetchKind,
    /// The address; empty until the discovery metadata names it.
    pub uri: String,
    /// Milliseconds since a document was last accepted; `None` if none was.
    pub age_ms: Option<u64>,
    /// Number of failed attempts since then.
    pub failures: u32,
    /// Whether the document is recent enough to use.
    pub usable: bool,
    /// Whether [`Gate::ready`](crate::Gate::ready) waits for it.
    pub needed: bool,
}
