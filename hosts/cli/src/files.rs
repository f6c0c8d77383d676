//! Files that the user names; `-` is the standard input.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use countersign_policy_source::Source;

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

/// Every document of another program's configuration.
pub(crate) fn read_foreign(path: &Path) -> Result<Vec<Source>, Failure> {
    let name = path.display().to_string();
    Ok(Source::parse_foreign(&name, read_bytes(path)?)?)
}

/// A path that a file names, relative to that file.
pub(crate) fn beside(file: &Path, named: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(named)
}
