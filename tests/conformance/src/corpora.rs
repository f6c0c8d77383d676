//! Third-party corpora: read in place, never copied. Where the folder is
//! absent, a line says so and nothing is run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use crate::files;

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

/// `attacks.json`: the vectors of ours that stand for each attack class.
///
/// # Panics
/// The file is missing or not in its form.
pub fn attack_classes() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks.json");
    let text = fs::read_to_string(path).expect("attacks.json");
    serde_json::from_str(&text).expect("attacks.json is an object of arrays")
}
