//! Documents that a gate needs, and the outcomes of their fetches.

use std::fmt;

use crate::{
    bindings::{convert, exports::countersign::gate::gate as wit},
    problem::Problem,
    uri::without_query,
};

/// The largest part that one call copies into the module: this takes a fraction of
/// a millisecond.
const PART_BYTES: usize = 1024 * 1024;

/// A document to fetch: with GET, without redirects, within the two bounds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// Names the document in [`Instance::supply`](crate::Instance::supply).
    pub source: u32,
    /// The issuer's `name` in the policy.
    pub issuer: String,
    /// The kind of document.
    pub kind: DocumentKind,
    /// The URL: `https`, or `http` only where the policy allows it.
    pub uri: String,
    /// Lower-case names and values of headers to send. They can contain a secret:
    /// `{:?}` does not show them.
    pub headers: Vec<(String, String)>,
    /// The longest time for the whole fetch.
    pub timeout_ms: u32,
    /// The largest body; it depends on the kind.
    pub max_bytes: u32,
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("source", &self.source)
            .field("issuer", &self.issuer)
            .field("kind", &self.kind)
            .field("uri", &without_query(&self.uri))
            .finish_non_exhaustive()
    }
}

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKind {
    /// OpenID Provider metadata (OpenID Connect Discovery 1.0 §4).
    Discovery,
    /// A JWK Set (RFC 7517 §5).
    Jwks,
    /// A revocation document.
    Revocations,
    /// A document of API keys.
    ApiKeys,
}

impl DocumentKind {
    /// Stable name: `discovery`, `jwks`, `revocations`, `api_keys`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Revocations => "revocations",
            Self::ApiKeys => "api_keys",
        }
    }
}

/// The response of a server. `{:?}` shows the length of the body, not its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; only 200 supplies a document.
    pub status: u16,
    /// `Cache-Control`, empty where absent (RFC 9111 §5.2).
    pub cache_control: String,
    /// The body, decoded from any content coding.
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The outcome of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server responded.
    Response(Response),
    /// There is no response: refused, timed out, redirected, too large, bad certificate.
    Failed,
}

impl Outcome {
    pub(crate) fn as_wit(&self) -> wit::Outcome<'_> {
        match self {
            Self::Response(response) => wit::Outcome::Response(wit::Response {
                status: response.status,
                cache_control: &response.cache_control,
                // Longer than any document may be: it is refused by its length.
                length: response.body.len().try_into().unwrap_or(u32::MAX),
                body: self.part(0),
            }),
            Self::Failed => wit::Outcome::Failed,
        }
    }

    /// The part of the body for the call with this number: `0` is
    /// [`Instance::supply`](crate::Instance::supply), those from `1` on are
    /// [`Instance::resume`](crate::Instance::resume). Empty after the last.
    #[must_use]
    pub fn part(&self, call: usize) -> &[u8] {
        let body = match self {
            Self::Response(response) => response.body.as_slice(),
            Self::Failed => &[],
        };
        body.chunks(PART_BYTES).nth(call).unwrap_or_default()
    }
}

/// What is used of a document, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// How many keys, API keys or revocations of it are used.
    pub used: u32,
    /// The parts that cannot be used, and warnings about keys that are used.
    pub skipped: Vec<Problem>,
}

/// The result of supplying the outcome of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supplied {
    /// The document is in force.
    Accepted(Accepted),
    /// The document is not used, and the old one stays in force.
    Refused(Problem),
    /// It was not read to its end: call [`Instance::resume`](crate::Instance::resume),
    /// each time with the next [`Outcome::part`], until there is another result.
    /// The old one is in force meanwhile.
    Unfinished,
    /// The document has another URL by now: nothing has changed, and nothing
    /// failed.
    Outdated,
}

/// One document's state, for readiness probes and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentStatus {
    /// The issuer's `name` in the policy.
    pub issuer: String,
    /// The kind of document.
    pub kind: DocumentKind,
    /// Its URL; empty while discovery has not named it.
    pub uri: String,
    /// Milliseconds since it was last accepted; `None` if never.
    pub age_ms: Option<u64>,
    /// Failed attempts since then.
    pub failures: u32,
    /// Whether it may still be used.
    pub usable: bool,
    /// Whether readiness waits for it ([`Gate::ready`](crate::Gate::ready)).
    pub needed: bool,
}

impl From<wit::FetchKind> for DocumentKind {
    fn from(kind: wit::FetchKind) -> Self {
        match kind {
            wit::FetchKind::Discovery => Self::Discovery,
            wit::FetchKind::Jwks => Self::Jwks,
            wit::FetchKind::Revocations => Self::Revocations,
            wit::FetchKind::ApiKeys => Self::ApiKeys,
        }
    }
}

impl From<wit::Fetch> for Fetch {
    fn from(fetch: wit::Fetch) -> Self {
        Self {
            source: fetch.source,
            issuer: fetch.issuer,
            kind: fetch.kind.into(),
            uri: fetch.uri,
            headers: fetch.headers,
            timeout_ms: fetch.timeout_ms,
            max_bytes: fetch.max_bytes,
        }
    }
}

impl From<wit::Supplied> for Supplied {
    fn from(supplied: wit::Supplied) -> Self {
        match supplied {
            wit::Supplied::Accepted(accepted) => Self::Accepted(Accepted {
                used: accepted.used,
                skipped: convert(accepted.skipped),
            }),
            wit::Supplied::Refused(problem) => Self::Refused(problem.into()),
            wit::Supplied::Unfinished => Self::Unfinished,
            wit::Supplied::Outdated => Self::Outdated,
        }
    }
}

impl From<wit::DocumentStatus> for DocumentStatus {
    fn from(status: wit::DocumentStatus) -> Self {
        Self {
            issuer: status.issuer,
            kind: status.kind.into(),
            uri: status.uri,
            age_ms: status.age_ms,
            failures: status.failures,
            usable: status.usable,
            needed: status.needed,
        }
    }
}
