//! Policies as YAML text: one strict subset, which every host reads alike
//! (`tests/yaml` has its sentences and its cases).
//!
//! YAML has several versions, and its readers differ in what a plain `no`,
//! `0123` or `1:30` is. What two of them could read differently is refused
//! here, and the message says how to write it.

mod characters;
mod collection;
mod marker;
mod scalar;
mod walk;

use std::{collections::HashMap, fmt};

/// A text as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yaml {
    /// The same as JSON: members in the same order, numbers as they are written.
    pub json: String,
    /// The position of the value at each JSON Pointer (RFC 6901); of a member, that
    /// of its name.
    pub positions: HashMap<String, Position>,
}

/// A position in a text, both counted from one, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a text is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// The position of what is refused, or where parsing stopped.
    pub position: Position,
    /// One sentence, without a full stop.
    pub message: String,
}

impl Yaml {
    /// Reads a text.
    ///
    /// # Errors
    /// The first place that is not YAML, or not of the strict subset.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        walk::read(&characters::lines(text)?)
    }
}

impl YamlError {
    fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self {
            position: Position { line, column },
            message: message.into(),
        }
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "line {line}, column {column}: {}", self.message)
    }
}

impl std::error::Error for YamlError {}

/// `pointer` with one more reference token (RFC 6901 §3).
fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
