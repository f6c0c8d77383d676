//! What the gate answers.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::{Code, Fetch, Status};

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

/// What a verified token says, in the policy's terms.
#[derive(Clone, PartialEq)]
pub struct Principal {
    /// The issuer's `name` in the policy.
    pub issuer: Box<str>,
    /// The token's `iss`.
    pub iss: Box<str>,
    /// The subject, by the issuer's claim mapping (`/sub`).
    pub subject: Option<Box<str>>,
    /// The name of the token type that matched, where the issuer has types.
    pub token_type: Option<Box<str>>,
    /// The tenant, by the issuer's claim mapping.
    pub tenant: Option<Box<str>>,
    /// Roles after `role_map`, each once, in order.
    pub roles: Box<[Box<str>]>,
    /// Scopes, each once, in order.
    pub scopes: Box<[Box<str>]>,
    /// `exp` in milliseconds since the epoch, without leeway.
    pub expires_at_ms: Option<i64>,
    /// The claims as the issuer signed them: a JSON object.
    pub claims: Box<str>,
}

/// What the policy says of it, and no claim.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer)
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

/// A request that may not pass: never a token, a key or a claim's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub code: Code,
    /// `WWW-Authenticate` (RFC 6750 §3), where the code has one.
    pub challenge: Option<String>,
    /// The claim or member concerned (a name or JSON Pointer of the policy or
    /// of a registered claim), where that helps.
    pub claim: Option<Box<str>>,
    /// `Retry-After` in seconds, for the codes answered with 503.
    pub retry_after_s: Option<u32>,
}

impl Denial {
    /// The HTTP status that answers it.
    pub fn status(&self) -> Status {
        self.code.status()
    }
}
