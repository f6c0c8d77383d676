//! `cargo xtask bench`: builds what is measured, then hands over to
//! `tests/bench/`.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};

use crate::{build, project};

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let asks = |word| arguments.contains(&word);
    if !asks("--help") && !asks("-h") {
        build::run()?;
        if !asks("native") && !asks("wasmtime") && !asks("growth") {
            install_peers(&project::root().join("tests/bench/node"))?;
        }
    }
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(project::root())
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "countersign-bench",
            "--",
        ])
        .args(arguments)
        .status()
        .context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The peers in Node, unless what the lock file says is there already.
fn install_peers(folder: &Path) -> Result<()> {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified());
    let installed = changed("node_modules/.package-lock.json");
    if let (Ok(installed), Ok(locked)) = (installed, changed("package-lock.json"))
        && installed >= locked
    {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let status = Command::new(npm)
        .current_dir(folder)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .status()
        .context("`npm` does not start: Node 20 or later is needed")?;
    ensure!(status.success(), "the peers in Node could not be installed");
    Ok(())
}
