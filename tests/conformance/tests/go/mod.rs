//! The Go host behind the protocol, built from `hosts/go`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Returns the program, or why it cannot be built: Go is not installed, or the
/// sealed module does not exist.
pub(crate) fn harness() -> Result<&'static Path, &'static str> {
    static HARNESS: OnceLock<Result<PathBuf, &str>> = OnceLock::new();
    let harness = HARNESS.get_or_init(build).as_deref();
    harness.map_err(|reason| *reason)
}

fn build() -> Result<PathBuf, &'static str> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hosts/go");
    if Command::new("go").arg("version").output().is_err() {
        return Err("Go is not installed");
    }
    if !module.join("countersign/countersign.wasm").exists() {
        return Err("hosts/go has no sealed file (cargo xtask build)");
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("harness-go{}", std::env::consts::EXE_SUFFIX));
    let built = Command::new("go")
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./internal/harness")
        .status();
    assert!(
        built.expect("go starts").success(),
        "the Go harness is built"
    );
    Ok(program)
}
