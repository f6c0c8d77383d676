//! The answer to a request that may not pass.

use alloc::{boxed::Box, string::String};

use super::{Code, Status};

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
