//! What the gate answers.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

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

/// A request that may pass, and what its backend may be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The same number means the same grant, for as long as the gate is open:
    /// what a caller made of one may be used again. 0 where there is no
    /// principal; a token that is verified anew gets a new number.
    pub number: u64,
    /// Who is calling; `None` where the rule is public, or optional and no
    /// token came.
    pub principal: Option<Arc<Principal>>,
    /// Headers to set, lower-case names, visible ASCII values.
    pub set_headers: Arc<[(Box<str>, Box<str>)]>,
    /// Headers to remove first, lower-case names: every `forward` header, so
    /// that nobody can send their own, and a stripped credential's header.
    pub remove_headers: Arc<[Box<str>]>,
    /// Cookies to remove from the `cookie` header: a stripped credential's.
    pub remove_cookies: Arc<[Box<str>]>,
}

/// What a verified token says, in the policy's terms.
#[derive(Clone, Debug, PartialEq)]
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
