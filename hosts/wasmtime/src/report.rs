//! Reports for people: a decoded token, the steps of a decision.

use std::fmt;

use crate::bindings::exports::countersign::gate::gate as wit;

/// A token, decoded and not verified. `{:?}` shows nothing of its content.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The JOSE header's JSON, where it could be decoded.
    pub header: Option<String>,
    /// The claims' JSON, where it could be decoded.
    pub claims: Option<String>,
    /// Bytes of the signature, where it could be decoded.
    pub signature_bytes: Option<u32>,
    /// The code of its first format error.
    pub fault: Option<String>,
    /// What that error is, in words. It may show parts of the token.
    pub detail: Option<String>,
}

/// One check of a decision, for people. `detail` may show claims' values; `{:?}`
/// leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// The check, by its name in the contract.
    pub check: String,
    /// Its result.
    pub verdict: Verdict,
    /// The code, where the verdict is [`Verdict::Fail`].
    pub code: Option<String>,
    /// What was compared, in words.
    pub detail: String,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check passed; the next one follows.
    Pass,
    /// The check failed.
    Fail,
    /// There was nothing to check.
    Skip,
    /// It waits for documents.
    Wait,
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection")
            .field("signature_bytes", &self.signature_bytes)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("check", &self.check)
            .field("verdict", &self.verdict)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl From<wit::Inspection> for Inspection {
    fn from(inspection: wit::Inspection) -> Self {
        Self {
            header: inspection.header,
            claims: inspection.claims,
            signature_bytes: inspection.signature_bytes,
            fault: inspection.fault,
            detail: inspection.detail,
        }
    }
}

impl From<wit::Step> for Step {
    fn from(step: wit::Step) -> Self {
        Self {
            check: step.check,
            verdict: match step.verdict {
                wit::Verdict::Pass => Verdict::Pass,
                wit::Verdict::Fail => Verdict::Fail,
                wit::Verdict::Skip => Verdict::Skip,
                wit::Verdict::Wait => Verdict::Wait,
            },
            code: step.code,
            detail: step.detail,
        }
    }
}
