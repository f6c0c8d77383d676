//! What a decision needs of the host, and the requests among it.

use std::fmt;

use crate::{
    bindings::exports::countersign::gate::gate as wit,
    document::{DocumentKind, Fetch},
    proofs::Proof,
    uri::without_query,
};

/// What a decision needs of the host. Signatures are not among it: an
/// [`Instance`](crate::Instance) verifies them within the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A document to fetch, for [`Instance::supply`](crate::Instance::supply).
    Document(Fetch),
    /// A request to send, for [`Instance::respond`](crate::Instance::respond)
    /// of the same instance.
    Request(Outgoing),
    /// A proof whose use to record, for [`Instance::proven`](crate::Instance::proven)
    /// of the same instance.
    Proof(Proof),
}

/// A request to send: without redirects, within the two bounds. It can contain a
/// token and a secret: `{:?}` shows no header, no body and no query.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Names the request in [`Instance::respond`](crate::Instance::respond).
    /// While there is no response, checks that need it wait for the same one.
    pub ticket: u64,
    /// The issuer's `name` in the policy.
    pub issuer: String,
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: String,
    /// The URL: `https`, or `http` only where the policy allows it.
    pub uri: String,
    /// Lower-case names and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// The longest time until the whole response is there.
    pub timeout_ms: u32,
    /// The largest body of a response.
    pub max_bytes: u32,
}

impl Need {
    /// The name of its issuer in the policy; empty for a proof.
    pub(crate) fn issuer(&self) -> &str {
        match self {
            Self::Proof(_) => "",
            Self::Document(fetch) => &fetch.issuer,
            Self::Request(request) => &request.issuer,
        }
    }

    /// The code and the sentence of a denial, if it does not come in time.
    pub(crate) fn unavailable(&self) -> (&'static str, &'static str) {
        match self {
            Self::Document(fetch) => match fetch.kind {
                DocumentKind::Discovery | DocumentKind::Jwks => {
                    ("keys_unavailable", "the keys of the issuer are unavailable")
                }
                DocumentKind::Revocations => (
                    "revocations_unavailable",
                    "the revocations of the issuer are unavailable",
                ),
                DocumentKind::ApiKeys => (
                    "api_keys_unavailable",
                    "the API keys of the issuer are unavailable",
                ),
            },
            Self::Request(_) => ("introspection_unavailable", "the token cannot be looked up"),
            Self::Proof(_) => (
                "proofs_unavailable",
                "the use of the proof cannot be recorded",
            ),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("ticket", &self.ticket)
            .field("issuer", &self.issuer)
            .field("method", &self.method)
            .field("uri", &without_query(&self.uri))
            .finish_non_exhaustive()
    }
}

impl From<wit::Outgoing> for Outgoing {
    fn from(request: wit::Outgoing) -> Self {
        Self {
            ticket: request.ticket,
            issuer: request.issuer,
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            body: request.body,
            timeout_ms: request.timeout_ms,
            max_bytes: request.max_bytes,
        }
    }
}
