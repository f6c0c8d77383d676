//! Names the inspector's page for `src/inspect/web.rs`, if `cargo xtask package`
//! has made one.

use std::{env, fs, path::Path};

fn main() {
    let folder = |name: &str| env::var(name).expect("set by cargo");
    let crate_folder = folder("CARGO_MANIFEST_DIR");
    let page = Path::new(&crate_folder).join("inspector.html");
    // A file that is not there would have this run each time.
    let watched = if page.is_file() {
        page.as_path()
    } else {
        Path::new(&crate_folder)
    };
    println!("cargo::rerun-if-changed={}", watched.display());

    let code = if page.is_file() {
        format!("Some(include_str!({:?}))", page.display().to_string())
    } else {
        "None".to_owned()
    };
    let written = Path::new(&folder("OUT_DIR")).join("page.rs");
    fs::write(written, code).expect("cargo's folder can be written");
}
