//! The crates, as the registry gets them: cargo compiles each outside of the
//! repository, with what is in its package only.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use xtask::{project, tools, version::VERSION};

use crate::files::{copy, remove};

/// The crates in the order in which they go up: each after what it uses.
pub(crate) const ORDER: [&str; 11] = [
    "countersign-kernel",
    "countersign",
    "countersign-host",
    "countersign-policy-source",
    "countersign-regions",
    "countersign-importer",
    "countersign-dev-issuer",
    "countersign-init",
    "countersign-proxy-config",
    "countersign-server",
    "countersign-cli",
];

/// The oldest Rust that the crates support: it compiles them here.
pub(crate) fn oldest_rust() -> String {
    format!("{}.0", env!("CARGO_PKG_RUST_VERSION"))
}

pub(crate) fn write(release: &Path) -> Result<()> {
    // `toolchain install 1.97.0` would make it the default of a machine that has none.
    tools::run(
        Command::new("rustup")
            .args([
                "toolchain",
                "install",
                "--profile=minimal",
                "--no-self-update",
            ])
            .env("RUSTUP_TOOLCHAIN", oldest_rust()),
    )?;
    forget_earlier()?;
    let mut cargo = cargo();
    cargo.current_dir(project::root()).args([
        "package",
        "--quiet",
        "--locked",
        // Git ignores the files that the build writes; `source` has looked at the others.
        "--allow-dirty",
    ]);
    for name in ORDER {
        cargo.args(["--package", name]);
    }
    tools::run(&mut cargo)?;
    for name in ORDER {
        let file = format!("{name}-{VERSION}.crate");
        let made = target().join("package").join(&file);
        copy(&made, &release.join("crates").join(&file))
            .with_context(|| format!("cargo has not packaged {name}"))?;
    }
    Ok(())
}

/// Removes what cargo has unpacked and compiled of these crates before: it takes
/// a version of a crate for unchangeable.
fn forget_earlier() -> Result<()> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let unpacked = home.context("there is no home")?.join("registry/src");
    for registry in folders(&unpacked) {
        for name in ORDER {
            remove(&registry.join(format!("{name}-{VERSION}")))?;
        }
    }
    for compiled in folders(&target().join("debug/.fingerprint")) {
        let name = compiled.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("countersign")) {
            remove(&compiled)?;
        }
    }
    Ok(())
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Returns the cargo of the oldest Rust. All that it compiles is in one folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", &oldest_rust(), "cargo"])
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
}

pub(crate) fn target() -> PathBuf {
    project::target(project::root()).join("packages")
}
