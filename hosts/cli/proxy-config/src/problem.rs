//! What a proxy cannot do, and what an operator should know.

use std::{error, fmt};

/// A configuration.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The text, with comments.
    pub text: String,
    /// What an operator should know: none is an error.
    pub warnings: Vec<Problem>,
}

/// Something about a policy, or about a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place in the policy: a JSON Pointer; empty where it is about no place.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

/// Why there is no configuration: everything that the proxy cannot do, and the warnings.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What it cannot do.
    pub problems: Vec<Problem>,
    /// What an operator should know beside that.
    pub warnings: Vec<Problem>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { pointer, message }) in self.problems.iter().enumerate() {
            let line = if index > 0 { "\n" } else { "" };
            match pointer.as_str() {
                "" => write!(f, "{line}{message}")?,
                pointer => write!(f, "{line}{pointer}: {message}")?,
            }
        }
        Ok(())
    }
}

impl error::Error for Refused {}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    refused: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    /// The proxy cannot do it: there will be no configuration.
    pub(crate) fn refuse(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.refused.push(Problem {
            pointer: pointer.into(),
            message: message.into(),
        });
    }

    pub(crate) fn warn(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Problem {
            pointer: pointer.into(),
            message: message.into(),
        });
    }

    pub(crate) fn finish(self, text: String) -> Result<Generated, Refused> {
        let Self {
            refused: problems,
            warnings,
        } = self;
        match problems.is_empty() {
            true => Ok(Generated { text, warnings }),
            false => Err(Refused { problems, warnings }),
        }
    }
}
