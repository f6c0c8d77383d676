//! `cargo xtask release`: builds what is published, then runs `xtask/release/`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{build, package, project, version};

/// A program of its own, so that its libraries are not compiled for every other
/// command.
pub(crate) const PROGRAM: &str = "countersign-release";

pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    let asks_help = |option: &&str| ["--help", "-h"].contains(option);
    if !options.iter().any(asks_help) {
        version::check()?;
        build::run()?;
        package::run()?;
    }
    program("release", options)
}

/// Compares the public items of the crates with their lists.
pub(crate) fn api(options: &[&str]) -> Result<ExitCode> {
    program("api", options)
}

fn program(command: &str, options: &[&str]) -> Result<ExitCode> {
    let status = project::cargo()
        .current_dir(project::root())
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            PROGRAM,
            "--",
            command,
        ])
        .args(options)
        .status()
        .context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
