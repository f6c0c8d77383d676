//! The parser's positions and errors as this crate's.

use saphyr_parser::{Marker, ScanError};

use super::{Position, YamlError};

pub(super) fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

pub(super) fn refused(at: Marker, message: &str) -> YamlError {
    let Position { line, column } = position(at);
    YamlError::new(line, column, message)
}

pub(super) fn unreadable(error: &ScanError) -> YamlError {
    let Position { line, column } = position(*error.marker());
    YamlError::new(line, column, error.info())
}
