//! Step 1: compiles `module/` for `wasm32-unknown-unknown`, to the same bytes
//! on every machine.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    packages::{Source, WASM},
    project,
};

const PROFILE: &str = "module";

pub(super) fn module(root: &Path, sources: &[Source]) -> Result<Vec<u8>> {
    let target = project::target(root);
    let mut cargo = project::cargo();
    // Profile variables of a developer's environment would change the module.
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
        // This variable overrides all other flags that a developer has set.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(root, &target, sources)?.join("\u{1f}"),
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

/// Vector instructions reduce the time of SHA-256 to two thirds. Automatic
/// vectorisation is off because it makes the arithmetic slower. SHA-512 with
/// loops has a sixth of the size of the unrolled code, and takes about as long.
/// The stack is a little smaller than 1 MiB, so that the addresses of data, which
/// are after it, take three bytes instead of four.
fn rustflags(root: &Path, target: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let mut flags = remaps(root, target, sources)?;
    flags.extend(
        [
            "--cfg=sha2_backend_soft=\"compact\"",
            "-Ctarget-feature=+simd128",
            "-Cno-vectorize-loops",
            "-Cno-vectorize-slp",
            "-Clink-arg=-zstack-size=983040",
        ]
        .map(str::to_owned),
    );
    Ok(flags)
}

/// Panic locations would contain paths of this machine. The folder of each
/// package is replaced as a whole, because the folder above it has the name of
/// the registry or of vendored sources. If `rust-src` is installed, rustc uses
/// its paths for the standard library: they are replaced by the names that
/// rustc uses without it. If several replacements fit, rustc applies the last
/// one.
fn remaps(root: &Path, target: &Path, sources: &[Source]) -> Result<Vec<String>> {
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
    places.extend(
        sources
            .iter()
            .map(|source| (source.folder.clone(), source.name())),
    );
    let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    let mut remaps = Vec::new();
    for (path, name) in places {
        remaps.push(remap(&path, &name));
        // The same folder by its real path, if the path contains links.
        if let Ok(real) = path.canonicalize()
            && real != path
        {
            remaps.push(remap(&real, &name));
        }
    }
    Ok(remaps)
}
