//! Paths in the repository, relative to the folder of this crate.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::vector::Topic;

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads the text of the contract.
///
/// # Errors
/// If it cannot be read.
pub fn contract() -> io::Result<String> {
    fs::read_to_string(root().join("CONTRACT.md"))
}

/// Returns the path of the built, sealed component.
pub fn component() -> PathBuf {
    root().join("dist/countersign.component.wasm")
}

/// Returns the folder of the published vectors.
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Returns the folder of the vectors about what an operator asks. A host plays
/// them if it knows the commands.
pub fn operation() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("operation")
}

/// Reads the published vectors of all hosts, in the order of their file names.
///
/// # Errors
/// If a file cannot be read or is invalid.
pub fn topics() -> io::Result<Vec<Topic>> {
    topics_of(&vectors())
}

/// Reads the vectors of a folder, in the order of their file names.
///
/// # Errors
/// If a file cannot be read or is invalid.
pub fn topics_of(folder: &Path) -> io::Result<Vec<Topic>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            serde_json::from_str(&fs::read_to_string(path)?)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
        })
        .collect()
}
