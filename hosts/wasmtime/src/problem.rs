//! Problems of policies and documents, and errors of opening and calling a gate.

use std::fmt;

use crate::bindings::exports::countersign::gate::gate as wit;

/// One problem: where, what kind, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the policy or document; empty for the whole.
    pub pointer: String,
    /// A stable code, such as `field_unknown`.
    pub code: String,
    /// What is wrong and how to correct it, for an operator.
    pub message: String,
    /// Error or warning.
    pub severity: Severity,
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy or document is refused.
    Error,
    /// The policy is used, although this is probably a mistake.
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

/// An instance trapped. It cannot be called again, and the result of the call must
/// not admit a request.
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
        write!(f, "the instance trapped: {}", self.reason)
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
