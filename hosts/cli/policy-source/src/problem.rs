//! What is wrong with a document.

use std::{error, fmt};

use countersign_host::yaml::Position;

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the document: a path, mostly.
    pub file: String,
    /// JSON Pointer (RFC 6901) of the value; empty for the whole.
    pub pointer: String,
    /// The position of the value, or of what contains it, where it is known.
    pub position: Option<Position>,
    /// A stable word in snake_case.
    pub code: String,
    /// One sentence, without a full stop.
    pub message: String,
    /// Otherwise it is a warning.
    pub is_error: bool,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The document of this name is not text in UTF-8, and its name says nothing
    /// about its format.
    NotText(String),
    /// The document of this name is not JSON, and why.
    NotJson(String, String),
    /// The text breaks the rules of its format (code `yaml_invalid` or
    /// `toml_invalid`).
    Invalid(Box<Problem>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText(name) => write!(f, "`{name}` is not UTF-8 text"),
            Self::NotJson(name, reason) => write!(f, "`{name}` is not JSON: {reason}"),
            Self::Invalid(problem) => write!(f, "`{}`: {}", problem.file, problem.message),
        }
    }
}

impl error::Error for Error {}
