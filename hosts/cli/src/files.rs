//! Files that the user names; `-` is the standard input.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use countersign_policy_source::{Problem, Source, child_pointer};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Deserializer as Tracking, Segment, Track};

use crate::failure::Failure;

/// The bytes of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))
}

/// One document: YAML, TOML or JSON.
pub(crate) fn read_source(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    Ok(Source::parse(&name, read_bytes(path)?)?)
}

/// A document as a type; what does not fit is a problem with this code, at its place.
pub(crate) fn read_as<T: DeserializeOwned>(source: &Source, code: &str) -> Result<T, Failure> {
    let mut track = Track::new();
    let mut json = serde_json::Deserializer::from_slice(&source.json);
    let read = T::deserialize(Tracking::new(&mut json, &mut track));
    read.map_err(|error| {
        let pointer = track.path().iter().map(pointer_token).collect::<String>();
        // The line in the JSON would mislead: the position is the file's.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Failure::Problems(vec![problem(source, &pointer, code, message)])
    })
}

/// A problem of a document, at its place.
pub(crate) fn problem(source: &Source, pointer: &str, code: &str, message: &str) -> Problem {
    Problem {
        file: source.name.clone(),
        position: source.position(pointer),
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        is_error: true,
    }
}

fn pointer_token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => child_pointer("", key),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// Every document of another program's configuration.
pub(crate) fn read_foreign(path: &Path) -> Result<Vec<Source>, Failure> {
    let name = path.display().to_string();
    Ok(Source::parse_foreign(&name, read_bytes(path)?)?)
}

/// A path that a file names, relative to that file.
pub(crate) fn beside(file: &Path, named: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(named)
}
