//! The files that `cargo xtask build` writes.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Returns a path in `dist/`.
pub fn path(name: &str) -> PathBuf {
    root().join("dist").join(name)
}

/// Reads a file in `dist/`.
///
/// # Panics
/// If it is not built.
pub fn read(name: &str) -> Vec<u8> {
    let path = path(name);
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build` first", path.display())
    })
}
