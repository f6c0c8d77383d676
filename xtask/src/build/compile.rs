//! Step 1: `module/` for `wasm32-unknown-unknown`, the same in every folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::project;

const TRIPLE: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "module";

pub(crate) fn module(root: &Path) -> Result<Vec<u8>> {
    let target = project::target(root);
    let status = project::cargo()
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "countersign-module",
        ])
        .args(["--target", TRIPLE, "--profile", PROFILE, "--target-dir"])
        .arg(&target)
        // In this form it wins over whatever flags a developer has set.
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(root)?.join("\u{1f}"))
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the module does not compile");

    let file = target
        .join(TRIPLE)
        .join(PROFILE)
        .join("countersign_module.wasm");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Paths of this machine would end up in panic locations. With vectors SHA-256 takes two
/// thirds of the time; compilers are not to look for more of them, which makes arithmetic
/// slower. SHA-512 in loops weighs a sixth of what it does unrolled, and takes about as long.
fn rustflags(root: &Path) -> Result<Vec<String>> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    Ok(vec![
        remap(&sysroot()?.join("lib/rustlib/src/rust"), "rust"),
        remap(&cargo_home()?.join("registry/src"), "registry"),
        remap(root, "countersign"),
        "--cfg=sha2_backend_soft=\"compact\"".to_owned(),
        "-Ctarget-feature=+simd128".to_owned(),
        "-Cno-vectorize-loops".to_owned(),
        "-Cno-vectorize-slp".to_owned(),
    ])
}

fn sysroot() -> Result<PathBuf> {
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(project::root())
        .args(["--print", "sysroot"])
        .output()
        .context("cannot start rustc")?;
    Ok(String::from_utf8(output.stdout)?.trim_end().into())
}

fn cargo_home() -> Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("there is neither CARGO_HOME nor a home folder")
}
