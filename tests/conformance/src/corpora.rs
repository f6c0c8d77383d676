//! Third-party corpora: read in place, never copied. Where the folder is
//! absent, a line says so and nothing is run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::files;

pub mod exceptions;
pub mod jose;

/// A folder of the corpora; `None`, and a line that says so, where it is not.
/// They are looked for in `COUNTERSIGN_CORPORA`, or beside the repository.
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

/// A JSON file of a corpus.
///
/// # Panics
/// It cannot be read, or is no JSON.
pub fn json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `attacks.json`: the vectors of ours that stand for each attack class.
///
/// # Panics
/// The file is missing or not in its form.
pub fn attack_classes() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks.json");
    serde_json::from_value(json(&path)).expect("attacks.json is an object of arrays")
}
