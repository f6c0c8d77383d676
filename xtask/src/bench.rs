//! `cargo xtask bench`: builds what it measures, then runs `tests/bench/`.

use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{build, package, project, tools, wheel};

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
            "python",
            "envoy",
            "server",
            "growth",
            "documents",
            "log",
        ];
        let needs = |suite| has(suite) || !only.into_iter().any(has);
        if needs("node") || needs("npm") || needs("documents") || needs("log") {
            tools::npm_packages(NODE)?;
            package::run()?;
            package::unpack_for(NODE)?;
        }
        if needs("python") {
            command.env("COUNTERSIGN_PYTHON_BENCH", python()?);
        }
        if needs("envoy") {
            command.env("COUNTERSIGN_ENVOY", tools::envoy()?);
        }
        if needs("server") {
            command.env("COUNTERSIGN_ENVOY", tools::envoy()?);
            command.env("COUNTERSIGN_OPA", tools::opa()?);
            command.env("COUNTERSIGN_OAUTH2_PROXY", tools::oauth2_proxy()?);
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

/// Returns a Python with the optimised wheel, and the verifiers that it is compared
/// with.
fn python() -> Result<PathBuf> {
    let folder = project::target(project::root()).join("python");
    let wheel = wheel::run(wheel::Profile::Release, &folder.join("release"))?;
    let requirements = project::root().join("tests/bench/python/requirements.txt");
    let packages = [wheel.to_str(), Some("-r"), requirements.to_str()];
    let packages: Vec<_> = packages.into_iter().flatten().collect();
    tools::environment("python3", &folder.join("bench"), &packages)
}
