//! Third-party corpora. The tests read them in place and never copy them. If
//! the folder is absent, a message says so and the tests do not run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::files;

pub mod exceptions;
pub mod jose;

/// Returns a folder of the corpora, in `COUNTERSIGN_CORPORA` or beside the
/// repository. If it is absent, prints a message and returns `None`.
pub fn folder(name: &str) -> Option<PathBuf> {
    let root = match env::var_os("COUNTERSIGN_CORPORA") {
        Some(path) => PathBuf::from(path),
        None => files::root().join("../shared/corpora"),
    };
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus `{name}` (COUNTERSIGN_CORPORA names the folder of corpora)");
    None
}

/// Reads a JSON file of a corpus.
///
/// # Panics
/// If it cannot be read or is not JSON.
pub fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads `attacks.json`: the vectors for each attack class.
///
/// # Panics
/// If the file is missing or invalid.
pub fn attack_classes() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks.json");
    serde_json::from_value(json(&path)).expect("attacks.json is an object of arrays")
}
