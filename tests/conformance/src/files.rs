//! Where things lie, from this crate's folder: it is run from the repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::vector::Topic;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of the contract.
///
/// # Errors
/// It cannot be read.
pub fn contract() -> io::Result<String> {
    fs::read_to_string(root().join("CONTRACT.md"))
}

/// The sealed component, as the build leaves it.
pub fn component() -> PathBuf {
    root().join("dist/countersign.component.wasm")
}

/// The folder of the published vectors.
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The published vectors, by file name.
///
/// # Errors
/// A file that cannot be read or is not in the format.
pub fn topics() -> io::Result<Vec<Topic>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(vectors())? {
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
