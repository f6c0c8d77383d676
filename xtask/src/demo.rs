//! `cargo xtask demo`: builds the module and the command, and runs the demo of
//! the command.

use std::{
    env::{self, consts::EXE_SUFFIX},
    io::{self, IsTerminal},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::project;

/// Writes the output of builds to standard error, so that `demo --json` prints
/// only JSON. Returns the exit code of `countersign demo`.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    // The first time, the dependencies of the command compile in parallel:
    // linking the module leaves one of two cores idle.
    let is_first = !project::root()
        .join("dist/countersign.component.wasm")
        .exists();
    let background = is_first.then(|| {
        command()
            .args(["--quiet", "--keep-going"])
            .current_dir(project::root())
            .stdout(Stdio::null())
            // The error about the missing module is expected.
            .stderr(Stdio::null())
            .spawn()
    });
    // A separate process, so that its report goes to standard error.
    build(
        "1 of 2: the sealed module; usually a minute on two cores, the first time",
        Command::new(env::current_exe()?).arg("build"),
    )?;
    let mut command = command();
    if !io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    // Cargo waits for the other process itself: both use the same folder.
    build(
        "2 of 2: the command, with wasmtime; usually three minutes on two cores, the first time",
        &mut command,
    )?;
    if let Some(background) = background {
        background?.wait()?;
    }

    let binary = project::target(project::root()).join(format!("debug/countersign{EXE_SUFFIX}"));
    let status = Command::new(&binary)
        .arg("demo")
        .args(options)
        .status()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}

/// Uses the profile of the tests, which most clones build anyway.
fn command() -> Command {
    let mut cargo = project::cargo();
    cargo.args(["build", "--locked", "--package", "countersign-cli"]);
    cargo
}

fn build(what: &str, command: &mut Command) -> Result<()> {
    eprintln!("{what}");
    let start = Instant::now();
    let status = command
        .current_dir(project::root())
        .stdout(io::stderr())
        .status()?;
    ensure!(status.success(), "the build failed");
    eprintln!("        {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
