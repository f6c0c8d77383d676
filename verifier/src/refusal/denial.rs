//! The answer to a request that is denied.

use alloc::{boxed::Box, string::String};

use super::{Code, Status};

/// The answer to a request that is denied. It never contains a token, a key or
/// the value of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why the request is denied.
    pub code: Code,
    /// `WWW-Authenticate` (RFC 6750 §3), if the code has a challenge.
    pub challenge: Option<String>,
    /// The claim or header member that failed the check, if there is one: a
    /// registered name, or a name or JSON Pointer of the policy.
    pub claim: Option<Box<str>>,
    /// The principal whose token failed the check, by its name in the policy.
    /// `None` for the user.
    pub principal: Option<Box<str>>,
    /// `Retry-After` in seconds, for codes with status 503.
    pub retry_after_s: Option<u32>,
    /// `DPoP-Nonce` (RFC 9449 §8): the nonce for the next proof. With it, the
    /// response also has `Cache-Control: no-store`.
    pub nonce: Option<String>,
}

/// A denial with nothing but a code.
impl From<Code> for Denial {
    fn from(code: Code) -> Self {
        Self {
            code,
            challenge: None,
            claim: None,
            principal: None,
            retry_after_s: None,
            nonce: None,
        }
    }
}

impl Denial {
    /// Returns the HTTP status of the response.
    pub fn status(&self) -> Status {
        self.code.status()
    }
}
