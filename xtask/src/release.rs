//! `cargo xtask release`: builds what is published, then runs `xtask/release/`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{build, package, project, version};

/// A program of its own, so that its libraries are not compiled for every other
/// command.
const PROGRAM: &str = "countersign-release";

pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    if !options
        .iter()
        .any(|option| ["--help", "-h"].contains(option))
    {
        version::check()?;
        build::run()?;
        package::run()?;
    }
    let status = project::cargo()
        .current_dir(project::root())
        .args(["run", "--quiet", "--locked", "--package", PROGRAM, "--"])
        .args(options)
        .status()
        .context("cannot start cargo")?;
    Ok(status.code().map_or(ExitCode::FAILURE, |code| {
        ExitCode::from(u8::try_from(code).unwrap_or(2))
    }))
}
