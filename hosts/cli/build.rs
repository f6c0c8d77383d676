//! Writes what `src/inspect/web.rs` serves: the inspector's page, if
//! `cargo xtask package` has made one of the module that is built in.

use std::{env, fs, path::Path};

fn main() {
    let folder = |name: &str| env::var(name).expect("set by cargo");
    let dist = Path::new(&folder("CARGO_MANIFEST_DIR")).join("../../dist");
    let (page, digest) = (
        dist.join("inspector/index.html"),
        dist.join("countersign.wasm.sha256"),
    );
    // A file that is not there would have this run each time.
    let watched = if page.is_file() { &page } else { &dist };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed={}", digest.display());

    let digest = fs::read_to_string(digest).unwrap_or_default();
    let is_of_module = |page: &String| {
        let sha256 = digest.split_whitespace().next();
        sha256.is_some_and(|sha256| page.contains(&format!("content=\"{sha256}\"")))
    };
    let served = fs::read_to_string(&page).ok().filter(is_of_module);
    let code = match served {
        Some(_) => format!("Some(include_str!({:?}))", page.display().to_string()),
        None => "None".to_owned(),
    };
    let written = Path::new(&folder("OUT_DIR")).join("page.rs");
    fs::write(written, code).expect("cargo's folder can be written");
}
