//! The file comes out the same wherever it is built.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_artefact_tests::dist;

/// What a build makes, and what it does not need.
const NOT_COPIED: [&str; 4] = [".git", "dist", "node_modules", "target"];

#[test]
fn another_folder_gives_the_same_bytes() {
    let elsewhere = Elsewhere::new();
    copy(dist::root(), &elsewhere.0).unwrap();
    let built = Command::new(env!("CARGO"))
        .current_dir(dist::root())
        .args(["xtask", "build"])
        .arg(&elsewhere.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the build failed:\n{said}");
    for name in [
        "countersign.wasm",
        "countersign.component.wasm",
        "npm/countersign.js",
        "oci/index.json",
    ] {
        let other = fs::read(elsewhere.0.join("dist").join(name)).unwrap();
        assert!(
            dist::read(name) == other,
            "{name} is another file; is dist/ up to date?"
        );
    }
}

/// A folder whose path is longer and has a space.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Self {
        let name = format!("countersign built elsewhere {}", std::process::id());
        Self(env::temp_dir().join(name))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if NOT_COPIED.iter().any(|not| name == *not) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
