//! The main job, from a fresh clone: the file, then the command that runs it.

use std::{
    env::{self, consts::EXE_SUFFIX},
    io::{self, IsTerminal},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::project;

/// Builds beside the standard output, so that `demo --json` stays JSON, and
/// ends as `countersign demo` does.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    // What the command needs beside the file is compiled meanwhile, the first
    // time: linking the file leaves one of two cores idle.
    let is_first = !project::root()
        .join("dist/countersign.component.wasm")
        .exists();
    let meanwhile = is_first.then(|| {
        command()
            .args(["--quiet", "--keep-going"])
            .current_dir(project::root())
            .stdout(Stdio::null())
            // That the file is missing is no news.
            .stderr(Stdio::null())
            .spawn()
    });
    // A process of its own, as its report belongs beside the demo's output.
    build(
        "1 of 2: the sealed module; usually a minute on two cores, the first time",
        Command::new(env::current_exe()?).arg("build"),
    )?;
    let mut command = command();
    if !io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    // Cargo itself waits for the other one: both want the same folder.
    build(
        "2 of 2: the command, with wasmtime; usually three minutes on two cores, the first time",
        &mut command,
    )?;
    if let Some(meanwhile) = meanwhile {
        meanwhile?.wait()?;
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

/// The profile of the tests, which most clones have built or will.
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
