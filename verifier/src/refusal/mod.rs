//! The results of failed checks: the codes, the refusal inside the gate, the
//! denial for the caller, and the trace for an explanation. Uses no other room.

mod code;
mod denial;
mod trace;

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

pub use code::{Code, Status};
pub use denial::Denial;
pub use trace::{Step, Verdict};
pub(crate) use trace::{Trace, quoted, quoted_or_none};

/// A failed check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// The claim that failed: a registered name, or a pointer of the policy.
    pub(crate) claim: Option<Box<str>>,
    /// The scopes that would satisfy the rule (RFC 6750 §3.1), for
    /// `scope_insufficient`.
    scope: Option<Box<str>>,
    retry_after_ms: Option<u64>,
}

impl Refusal {
    pub(crate) fn claim(code: Code, claim: impl Into<Box<str>>) -> Self {
        Self {
            claim: Some(claim.into()),
            ..Self::from(code)
        }
    }

    pub(crate) fn scopes(wanted: &[Box<str>]) -> Self {
        Self {
            scope: Some(wanted.join(" ").into()),
            ..Self::from(Code::ScopeInsufficient)
        }
    }

    pub(crate) fn retry(code: Code, after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(after_ms),
            ..Self::from(code)
        }
    }

    /// Makes the denial. The code determines status and challenge.
    pub(crate) fn into_denial(self, realm: &str) -> Denial {
        let retry_after_s = (self.code.status() == 503).then(|| {
            let seconds = self.retry_after_ms.unwrap_or(0).div_ceil(1000).max(1);
            u32::try_from(seconds).unwrap_or(u32::MAX)
        });
        Denial {
            challenge: self.challenge(realm),
            code: self.code,
            claim: self.claim,
            retry_after_s,
        }
    }

    /// Returns `WWW-Authenticate` (RFC 6750 §3). Scopes, realm and sentences
    /// contain neither `"` nor `\`, so they need no escapes.
    fn challenge(&self, realm: &str) -> Option<String> {
        let error = match (self.code, self.code.status()) {
            (Code::TokenMissing, _) => return Some(format!("Bearer realm=\"{realm}\"")),
            (_, 400) => "invalid_request",
            (_, 401) => "invalid_token",
            (Code::ScopeInsufficient, _) => "insufficient_scope",
            _ => return None,
        };
        let sentence = self.code.sentence();
        let mut challenge = format!(
            "Bearer realm=\"{realm}\", error=\"{error}\", error_description=\"{sentence}\""
        );
        if let Some(scope) = &self.scope {
            challenge.push_str(", scope=\"");
            challenge.push_str(scope);
            challenge.push('"');
        }
        Some(challenge)
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            claim: None,
            scope: None,
            retry_after_ms: None,
        }
    }
}

/// Why a check ended without a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Deny(Refusal),
    /// These documents could change the answer.
    Wait(Vec<Wanted>),
}

/// A document to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) source: u32,
    /// Its address, if the source has a document for each `kid`.
    pub(crate) uri: Option<Arc<str>>,
}

impl Wanted {
    /// The document of a source that has one.
    pub(crate) fn of(source: u32) -> Self {
        Self { source, uri: None }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Deny(refusal)
    }
}

impl From<Code> for Halt {
    fn from(code: Code) -> Self {
        Self::Deny(code.into())
    }
}
