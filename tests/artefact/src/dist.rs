//! What `cargo xtask build` has put out.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A path in `dist/`.
pub fn path(name: &str) -> PathBuf {
    root().join("dist").join(name)
}

/// A file in `dist/`.
///
/// # Panics
/// Where it has not been built.
pub fn read(name: &str) -> Vec<u8> {
    let path = path(name);
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask build` first", path.display())
    })
}
