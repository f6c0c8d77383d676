//! What the readers make of a text: JSON, and the position of every value.

use std::collections::HashMap;

use countersign_host::yaml::{Position, Yaml, YamlError};
use serde::Serialize;

/// Where the value at each JSON Pointer is; of a member, where its name is.
pub(crate) type Positions = HashMap<String, Position>;

/// What a reader made of a text.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) json: String,
    pub(crate) positions: Positions,
}

/// Why a text could not be read.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) position: Option<Position>,
    pub(crate) message: String,
}

impl From<Yaml> for Parsed {
    fn from(yaml: Yaml) -> Self {
        Self {
            json: yaml.json,
            positions: yaml.positions,
        }
    }
}

impl From<YamlError> for Invalid {
    fn from(error: YamlError) -> Self {
        Self {
            position: Some(error.position),
            message: error.message,
        }
    }
}

/// The deepest nesting: the gate accepts far less.
pub(crate) const DEPTH: usize = 64;

impl Parsed {
    /// Writes a scalar.
    pub(crate) fn scalar(&mut self, value: &impl Serialize) {
        // Strings, booleans and finite numbers always serialise.
        self.json
            .push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()));
    }

    /// Records the position of the value at `pointer`.
    pub(crate) fn place(&mut self, pointer: &str, position: Position) {
        self.positions.entry(pointer.to_owned()).or_insert(position);
    }
}

/// `pointer` with one more reference token (RFC 6901 §3).
pub fn child_pointer(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
