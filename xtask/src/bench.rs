//! `cargo xtask bench`: builds what it measures, then runs `tests/bench/`.

use std::{
    env,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{build, package, project, tools};

/// The folder of the Node.js part and its packages.
pub(crate) const NODE: &str = "tests/bench/node";

pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let has = |word| arguments.contains(&word);
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if !has("--help") && !has("-h") {
        build::run()?;
        let only = [
            "native",
            "wasmtime",
            "node",
            "npm",
            "go",
            "envoy",
            "growth",
            "documents",
        ];
        let needs = |suite| has(suite) || !only.into_iter().any(has);
        if needs("node") || needs("npm") || needs("documents") {
            tools::npm_packages(NODE)?;
            package::run()?;
            package::unpack_for(NODE)?;
        }
        if needs("envoy") {
            command.env("COUNTERSIGN_ENVOY", tools::envoy()?);
        }
    }
    let status = command
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
