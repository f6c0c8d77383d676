//! Step 1: `module/` for `wasm32-unknown-unknown`, the same on every machine.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    packages::{self, WASM},
    project,
};

const PROFILE: &str = "module";

pub(crate) fn module(root: &Path) -> Result<Vec<u8>> {
    let target = project::target(root);
    let mut cargo = project::cargo();
    // What a developer's environment says of profiles would make another file.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    if !io::stderr().is_terminal() {
        cargo.arg("--quiet");
    }
    let status = cargo
        .current_dir(root)
        .args(["build", "--locked", "--package", "countersign-module"])
        .args(["--target", WASM, "--profile", PROFILE, "--target-dir"])
        .arg(&target)
        .env("CARGO_INCREMENTAL", "0")
        // In this form it wins over whatever flags a developer has set.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(root, &target)?.join("\u{1f}"),
        )
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the module does not compile");

    let file = target
        .join(WASM)
        .join(PROFILE)
        .join("countersign_module.wasm");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// With vectors SHA-256 takes two thirds of the time; compilers are not to look for more of
/// them, which makes arithmetic slower. SHA-512 in loops weighs a sixth of what it does unrolled,
/// and takes about as long.
fn rustflags(root: &Path, target: &Path) -> Result<Vec<String>> {
    let mut flags = remaps(root, target)?;
    flags.extend(
        [
            "--cfg=sha2_backend_soft=\"compact\"",
            "-Ctarget-feature=+simd128",
            "-Cno-vectorize-loops",
            "-Cno-vectorize-slp",
        ]
        .map(str::to_owned),
    );
    Ok(flags)
}

/// Paths of this machine would end up in panic locations. Of each package the whole folder is
/// renamed, as the folder above it has the registry's name, or is where somebody keeps vendored
/// sources. Where `rust-src` is installed, rustc names the standard library's files by it: they
/// get the names that they have without. Of several that fit the last one holds.
fn remaps(root: &Path, target: &Path) -> Result<Vec<String>> {
    let sysroot = PathBuf::from(project::rustc(root, &["--print", "sysroot"])?.trim_end());
    let version = project::rustc(root, &["-vV"])?;
    let hash = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "));
    let hash = hash.context("rustc does not say of which commit it is")?;
    let mut places = vec![
        (root.to_owned(), "countersign".to_owned()),
        (target.to_owned(), "target".to_owned()),
        (
            sysroot.join("lib/rustlib/src/rust"),
            format!("/rustc/{hash}"),
        ),
    ];
    places.extend(packages::sources(root)?);
    let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    let mut remaps = Vec::new();
    for (path, name) in places {
        remaps.push(remap(&path, &name));
        // The same folder by its real name, where links lead to it.
        if let Ok(real) = path.canonicalize()
            && real != path
        {
            remaps.push(remap(&real, &name));
        }
    }
    Ok(remaps)
}
