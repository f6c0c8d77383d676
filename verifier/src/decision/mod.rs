//! The answers of the gate: decisions and grants, the checks of a requirement,
//! and the headers that a grant removes. Uses `base`, `json`, `refusal`,
//! `model`, `documents`, `token`, `request`, and the parser of requirements in
//! `policy`.

mod event;
mod prepared;
mod requirement;
mod strip;

use alloc::{borrow::Cow, boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use crate::{
    documents::Fetch,
    refusal::Denial,
    token::{Outgoing, Principal, Proof, Signature},
};

pub use event::{Event, MatchedRule};
pub(crate) use event::{Last, Seen};
pub(crate) use prepared::Requirements;
pub(crate) use requirement::Subject;
pub(crate) use strip::{Strip, Used, remove};

/// The answer to one request at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The request is allowed.
    Allow(Grant),
    /// The request is denied.
    Deny(Denial),
    /// The gate answers the request itself: no backend sees it.
    Answer(Answer),
    /// The decision needs all of these. Get them and check again.
    Wait(Vec<Need>),
}

/// What a decision needs of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A document. Fetch it (or join a fetch in flight) and
    /// [`supply`](crate::Gate::supply) it.
    Document(Fetch),
    /// A request. Send it and [`respond`](crate::Gate::respond).
    Request(Outgoing),
    /// A signature. Verify it and report it by [`verified`](crate::Gate::verified).
    /// Only a gate with [`Native`](crate::Native) cryptography asks.
    Signature(Signature),
    /// A proof of possession. Look whether it is used for the first time, keep it
    /// until it expires, and report it by [`verified`](crate::Gate::verified).
    Proof(Proof),
}

impl Need {
    /// Returns the document, if it is one.
    pub fn document(self) -> Option<Fetch> {
        match self {
            Self::Document(fetch) => Some(fetch),
            Self::Request(_) | Self::Signature(_) | Self::Proof(_) => None,
        }
    }
}

/// A response of the gate itself. A host sends it as it is; to a `HEAD` it
/// sends no body (RFC 9110 §9.3.2). Nothing in it comes from the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All headers except those that frame the message: names in lower case,
    /// values in visible ASCII.
    pub headers: &'static [(&'static str, &'static str)],
    /// The whole body.
    pub body: Vec<u8>,
}

/// The answer to an allowed request. A host applies it to the request in this
/// order: it removes `remove_headers`, sets `set_headers`, then applies
/// `changes`.
#[derive(Clone, PartialEq)]
pub struct Grant {
    /// Identifies the principal, `set_headers` and `remove_headers` while the
    /// gate is open: for an equal number, a caller can reuse what it made of
    /// them. It is 0 without a principal. A token that is verified again gets a
    /// new number, and so does each of its tenants for which a request is.
    pub number: u64,
    /// The caller. `None` if the rule is public, or if it is optional and the
    /// request has no token.
    pub principal: Option<Arc<Principal>>,
    /// The principals that the rule asks for beside the user, in its order.
    pub others: Vec<OtherPrincipal>,
    /// Headers to set: names in lower case, values in visible ASCII.
    pub set_headers: Arc<[(Box<str>, Box<str>)]>,
    /// Headers to remove first: every `forward` header, so that a caller cannot
    /// set them, and the header of a stripped credential. Remove every field
    /// whose name, in lower case and with `_` read as `-`, is one of these:
    /// CGI, WSGI and PHP read `X_Auth_Subject` as the same variable.
    pub remove_headers: Arc<[Box<str>]>,
    /// Further changes, for this request only.
    pub changes: Vec<Change>,
}

/// A change to one request.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Replace all fields with exactly this name (in any case) by one with this
    /// value.
    SetHeader(Cow<'static, str>, Vec<u8>),
    /// Remove all fields with exactly this name (in any case): `_` is not read
    /// as `-` here.
    RemoveHeader(Cow<'static, str>),
    /// Replace the target by this one, in origin form, with its query.
    SetTarget(Vec<u8>),
}

/// Does not show the values, which can contain a credential.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetHeader(name, _) => write!(f, "SetHeader({name})"),
            Self::RemoveHeader(name) => write!(f, "RemoveHeader({name})"),
            Self::SetTarget(_) => f.write_str("SetTarget"),
        }
    }
}

/// A principal beside the user: a workload, or a proxy that knows identities.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherPrincipal {
    /// Its name in the policy.
    pub name: Box<str>,
    /// As [`Grant::number`], of its token.
    pub number: u64,
    /// What its token says.
    pub principal: Arc<Principal>,
}

/// Shows no claims, and no headers, which contain claims.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("number", &self.number)
            .field("principal", &self.principal)
            .field("others", &self.others)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}
