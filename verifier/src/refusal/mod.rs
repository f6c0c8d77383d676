//! The results of failed checks: the codes, the refusal inside the gate, the
//! denial for the caller, and the trace for an explanation. Uses no other room.

mod code;
mod denial;
mod trace;

use alloc::{boxed::Box, string::String, vec::Vec};

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
    /// The address of the resource's metadata (RFC 9728 §5.1).
    resource_metadata: Option<Box<str>>,
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

    /// Adds to the challenge what the policy says: the scopes of the rule, and
    /// the address of the resource's metadata. Other answers than a 401 and
    /// `scope_insufficient` have nothing of it.
    pub(crate) fn challenge_with(&mut self, scopes: &[&str], metadata: Option<&str>) {
        if self.code.status() != 401 && self.code != Code::ScopeInsufficient {
            return;
        }
        self.resource_metadata = metadata.map(Box::from);
        if !scopes.is_empty() {
            let mut scopes = Vec::from(scopes);
            let lacking = self.scope.take().unwrap_or_default();
            // An alternative of `any_of` can lack others.
            for scope in lacking.split(' ').filter(|scope| !scope.is_empty()) {
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
            self.scope = Some(scopes.join(" ").into());
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

    /// Returns `WWW-Authenticate` (RFC 6750 §3). No value contains `"` or `\`,
    /// so none needs an escape.
    fn challenge(&self, realm: &str) -> Option<String> {
        let error = match (self.code, self.code.status()) {
            (Code::TokenMissing, _) => None,
            (_, 400) => Some("invalid_request"),
            (_, 401) => Some("invalid_token"),
            (Code::ScopeInsufficient, _) => Some("insufficient_scope"),
            _ => return None,
        };
        let mut challenge = String::from("Bearer");
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                let first = challenge.len() == "Bearer".len();
                let parts = [if first { " " } else { ", " }, name, "=\"", value, "\""];
                parts.iter().for_each(|part| challenge.push_str(part));
            }
        };
        add("realm", Some(realm));
        add("error", error);
        add("error_description", error.map(|_| self.code.sentence()));
        add("scope", self.scope.as_deref());
        // `acr_values` and `max_age` (RFC 9470 §3) belong here.
        add("resource_metadata", self.resource_metadata.as_deref());
        Some(challenge)
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            claim: None,
            scope: None,
            resource_metadata: None,
            retry_after_ms: None,
        }
    }
}

/// Why a check ended without a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Deny(Refusal),
    /// Documents of these sources could change the answer.
    Wait(Vec<u32>),
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
