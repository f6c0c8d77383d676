//! What the gate answers, what a requirement asks of a verified token, and what
//! a grant changes on a request. Uses every room but `policy`'s inside.

mod prepared;
mod requirement;
mod strip;

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use crate::{documents::Fetch, refusal::Denial, token::Principal};

pub(crate) use prepared::Requirements;
pub(crate) use requirement::Subject;
pub(crate) use strip::Strip;

/// The answer to one request at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The request may pass.
    Allow(Grant),
    /// The request may not pass.
    Deny(Denial),
    /// The answer may exist after these fetches: fetch (or join a fetch under
    /// way), [`supply`](crate::Gate::supply), and check again.
    Wait(Vec<Fetch>),
}

/// A request that may pass, and what its backend may be told. A host changes
/// the request so: first it removes, then it sets, then it carries out
/// `changes`.
#[derive(Clone, PartialEq)]
pub struct Grant {
    /// The same number means the same principal, `set_headers` and
    /// `remove_headers`, for as long as the gate is open: what a caller made of
    /// them may be used again. 0 where there is no principal; a token that is
    /// verified anew gets a new number.
    pub number: u64,
    /// Who is calling; `None` where the rule is public, or optional and no
    /// token came.
    pub principal: Option<Arc<Principal>>,
    /// Headers to set, lower-case names, visible ASCII values.
    pub set_headers: Arc<[(Box<str>, Box<str>)]>,
    /// Headers to remove first: every `forward` header, so that nobody can send
    /// their own, and a stripped credential's header. Every field goes whose
    /// name, in lower case and with `_` read as `-`, is one of these: CGI, WSGI
    /// and PHP read `X_Auth_Subject` as the same variable.
    pub remove_headers: Arc<[Box<str>]>,
    /// What else changes, on this request alone.
    pub changes: Vec<Change>,
}

/// A change of one request.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// All fields of this name, in lower case, become one with this value.
    SetHeader(&'static str, Vec<u8>),
    /// All fields of this name, in lower case, go.
    RemoveHeader(&'static str),
}

/// The value may hold a credential.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetHeader(name, _) => write!(f, "SetHeader({name})"),
            Self::RemoveHeader(name) => write!(f, "RemoveHeader({name})"),
        }
    }
}

/// No claims, and no headers, which hold claims.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("number", &self.number)
            .field("principal", &self.principal)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}
