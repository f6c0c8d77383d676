//! The programs of the backends.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use serde_json::Value;

/// A process that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::piped()).spawn();
        Ok(Self(
            child.with_context(|| format!("{command:?} does not start"))?,
        ))
    }

    /// Starts a process, and returns it with the address that it prints.
    pub(crate) fn start_told(command: &mut Command) -> Result<(Self, SocketAddr)> {
        let mut process = Self::start(command.stdout(Stdio::piped()))?;
        let output = process.0.stdout.take().context("no pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value =
            serde_json::from_str(&line).with_context(|| format!("{command:?} said {line:?}"))?;
        let port = said["port"].as_u64().and_then(|port| port.try_into().ok());
        let port: u16 = port.with_context(|| format!("{command:?} said {line:?}"))?;
        Ok((process, (Ipv4Addr::LOCALHOST, port).into()))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

/// Returns the reason if the programs in `npm/tests/backends` cannot run here.
pub(crate) fn missing_node(router: &str) -> Option<&'static str> {
    // If `COUNTERSIGN_NODE` is set, a missing package is a failure. Otherwise
    // the test is skipped.
    let folder = match router {
        "next" => "npm/examples/next",
        _ => "npm/tests",
    };
    let package = repository().join(folder).join("node_modules/countersign");
    let is_there = package.exists();
    (env::var_os("COUNTERSIGN_NODE").is_none() && !is_there)
        .then_some("the npm package is not unpacked for the tests (cargo xtask test)")
}

/// A program in `npm/tests/backends`.
pub(crate) fn node(name: &str) -> Command {
    let node = env::var_os("COUNTERSIGN_NODE").unwrap_or_else(|| "node".into());
    let mut command = Command::new(node);
    command.arg(repository().join(format!("npm/tests/backends/{name}.mjs")));
    command
}

/// Returns the reason if the programs in `hosts/python/tests` cannot run here.
pub(crate) fn missing_python() -> Option<&'static str> {
    env::var_os(PYTHON)
        .is_none()
        .then_some("COUNTERSIGN_PYTHON names no Python that has the package (cargo xtask test)")
}

/// The router in `hosts/python/tests`.
pub(crate) fn python(router: &str) -> Result<Command> {
    let mut command = Command::new(env::var_os(PYTHON).context(PYTHON)?);
    command.arg(repository().join("hosts/python/tests/backends.py"));
    command.arg(router);
    Ok(command)
}

/// A Python with the wheel and the frameworks.
const PYTHON: &str = "COUNTERSIGN_PYTHON";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program of this crate. Its tests are in the folder `deps` beside it.
pub(crate) fn own_program() -> Result<PathBuf> {
    let here = env::current_exe()?;
    let folders = here.ancestors().skip(1).take(2);
    let mut programs = folders
        .map(|folder| folder.join(format!("countersign-routers{}", env::consts::EXE_SUFFIX)));
    programs
        .find(|program| program.is_file())
        .context("cargo has not built `countersign-routers`")
}

/// The Go program, which is built once.
pub(crate) fn go_program() -> Result<&'static Path, &'static str> {
    static PROGRAM: OnceLock<Result<(PathBuf, tempfile::TempDir), &str>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| {
        if Command::new("go").arg("version").output().is_err() {
            return Err("Go is not installed");
        }
        if !repository()
            .join("hosts/go/countersign/countersign.wasm")
            .exists()
        {
            return Err("hosts/go has no sealed file (cargo xtask build)");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder
            .path()
            .join(format!("routers{}", env::consts::EXE_SUFFIX));
        let built = Command::new("go")
            .current_dir(repository().join("hosts/go/routers"))
            .env("CGO_ENABLED", "0")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .status();
        assert!(
            built.expect("go starts").success(),
            "the Go routers are built"
        );
        Ok((program, folder))
    });
    built
        .as_ref()
        .map(|(program, _)| &**program)
        .map_err(|reason| *reason)
}
