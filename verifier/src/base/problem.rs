//! Problems of a policy or a document, reported to the operator.

use alloc::string::String;

/// How severe a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy or document is refused.
    Error,
    /// The policy or document works, but the operator should review it.
    Warning,
}

/// One problem: its place, its kind and a message. The message is in lower
/// case, has no full stop, quotes the operator's text in backticks and never
/// contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the policy or document; empty for the whole.
    pub pointer: String,
    /// Stable code, such as `field_unknown`.
    pub code: &'static str,
    /// What is wrong, or how to fix it.
    pub message: String,
    /// Whether it is an error or a warning.
    pub severity: Severity,
}

impl Problem {
    /// Makes an error at `pointer`.
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

    /// Makes a warning at `pointer`.
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
