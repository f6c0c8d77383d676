//! What is wrong with a policy or a document, and why a gate did not open.

use std::fmt;

use crate::bindings::exports::countersign::gate::gate as wit;

/// One problem: where, what kind, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the policy or document; empty for the whole.
    pub pointer: String,
    /// Stable, such as `field_unknown`.
    pub code: String,
    /// What to do about it, in an operator's words.
    pub message: String,
    /// Error or warning.
    pub severity: Severity,
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy or document is refused.
    Error,
    /// It works, and somebody should look.
    Warning,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        match self.pointer.as_str() {
            "" => write!(f, "{} ({})", self.message, self.code),
            pointer => write!(f, "{pointer}: {} ({})", self.message, self.code),
        }
    }
}

/// Why a gate did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The policy, or a requirement: every problem of it.
    Policy(Vec<Problem>),
    /// The sealed module could not be compiled, instantiated or run here.
    Module(String),
}

impl OpenError {
    /// Every problem of the policy; empty where the policy is not the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Policy(problems) => problems,
            Self::Module(_) => &[],
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(problems) => {
                write!(f, "the policy is refused:")?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
            Self::Module(reason) => write!(f, "the sealed module does not run here: {reason}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// An instance died: a trap, or the end of its time. Nothing more can be
/// asked of it, and nothing it said may admit a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    reason: String,
}

impl Trap {
    pub(crate) fn new(reason: &str) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the instance died: {}", self.reason)
    }
}

impl std::error::Error for Trap {}

impl From<wasmtime::Error> for Trap {
    fn from(error: wasmtime::Error) -> Self {
        Self {
            reason: error.root_cause().to_string(),
        }
    }
}

impl From<Trap> for OpenError {
    fn from(trap: Trap) -> Self {
        Self::Module(trap.reason)
    }
}

impl From<wit::Problem> for Problem {
    fn from(problem: wit::Problem) -> Self {
        Self {
            pointer: problem.pointer,
            code: problem.code,
            message: problem.message,
            severity: match problem.severity {
                wit::Severity::Error => Severity::Error,
                wit::Severity::Warning => Severity::Warning,
            },
        }
    }
}
