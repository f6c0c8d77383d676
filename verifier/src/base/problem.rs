//! What is wrong with a policy or a document, in an operator's words.

use alloc::string::String;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy or document is refused.
    Error,
    /// It works, and somebody should look.
    Warning,
}

/// One problem: where, what kind, and a sentence (lower case, no full stop,
/// the operator's own words in backticks; never a secret).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the policy or document; empty for the whole.
    pub pointer: String,
    /// Stable code, such as `field_unknown`.
    pub code: &'static str,
    /// What to do about it.
    pub message: String,
    /// Error or warning.
    pub severity: Severity,
}

impl Problem {
    /// An error at `pointer`.
    pub(crate) fn error(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
            severity: Severity::Error,
        }
    }

    /// A warning at `pointer`.
    pub(crate) fn warning(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(pointer, code, message)
        }
    }
}
