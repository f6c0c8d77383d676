//! Documents that the host fetches: what they are, when they are fetched, what
//! they say, and what each issuer has of them. Uses `base`, `json`, `refusal`,
//! `jose` and `model`.

mod issuers;
mod revocation;
mod schedule;

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};

use crate::base::Problem;

pub(crate) use issuers::Issuers;
pub(crate) use revocation::Revocable;
use revocation::Revoked;
use schedule::{Schedule, fresh_for_ms};

/// A document that the gate wants. A host keeps at most one fetch for a
/// `source` and `uri` under way: GET, no redirects, within `timeout_ms` and
/// `max_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Names the document in [`supply`](crate::Gate::supply).
    pub source: u32,
    /// The issuer's `name` in the policy.
    pub issuer: Arc<str>,
    /// What it is.
    pub kind: FetchKind,
    /// Where: `https`, or `http` only where the policy allows it.
    pub uri: Arc<str>,
    /// Bound on the whole fetch.
    pub timeout_ms: u32,
    /// Bound on the body.
    pub max_bytes: u32,
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
}

impl FetchKind {
    /// Stable name: `discovery`, `jwks`, `revocations`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Revocations => "revocations",
        }
    }
}

/// How a fetch ended.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// The server answered.
    Response {
        /// HTTP status; only 200 supplies a document.
        status: u16,
        /// `Cache-Control`, empty where absent (RFC 9111 §5.2).
        cache_control: &'a str,
        /// How many bytes the body has, decoded from any content coding.
        length: usize,
        /// The body, or its first part: the others come with
        /// [`resume`](crate::Gate::resume), so that no call copies more than a
        /// host wants. It is kept while it is read: owned bytes spare a copy.
        body: Cow<'a, [u8]>,
    },
    /// No answer: refused, timed out, redirected, too large, bad certificate.
    Failed,
}

/// What became of a document that was supplied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supplied {
    /// It is in force.
    Accepted {
        /// Parts that could not be used, such as keys of an unknown type.
        skipped: Vec<Problem>,
    },
    /// It cannot be used: the old one stays.
    Refused(Problem),
    /// It is not read to its end: call [`resume`](crate::Gate::resume), with
    /// the next part of its body if one is left, until there is another answer.
    /// The old one is in force meanwhile.
    Unfinished,
    /// It came from an address that is not this document's any more. Nothing
    /// changed.
    Outdated,
}

/// One document's state, for readiness probes and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentStatus {
    /// The issuer's `name` in the policy.
    pub issuer: Arc<str>,
    /// What it is.
    pub kind: FetchKind,
    /// Where; empty while discovery has not named it.
    pub uri: String,
    /// Milliseconds since it was last accepted; `None` if never.
    pub age_ms: Option<u64>,
    /// Failed attempts since then.
    pub failures: u32,
    /// Whether it may still be used.
    pub usable: bool,
}
