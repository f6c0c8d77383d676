//! The main job, from a fresh clone: the file, then the command that runs it.

use std::{
    env::{self, consts::EXE_SUFFIX},
    io,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};

use crate::project;

/// Builds beside the standard output, so that `demo --json` stays JSON, and
/// ends as `countersign demo` does.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    eprintln!("1 of 2: the sealed module (a few minutes the first time)");
    // A process of its own, as its report belongs beside the demo's output.
    build(Command::new(env::current_exe()?).arg("build"))?;
    eprintln!("2 of 2: the command");
    // The profile of the tests, which most clones have built or will: wasmtime
    // compiles the module at full speed in every profile.
    build(project::cargo().args(["build", "--package", "countersign-cli"]))?;

    let binary = project::target(project::root()).join(format!("debug/countersign{EXE_SUFFIX}"));
    let status = Command::new(&binary)
        .arg("demo")
        .args(options)
        .status()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}

fn build(command: &mut Command) -> Result<()> {
    let status = command
        .current_dir(project::root())
        .stdout(io::stderr())
        .status()?;
    ensure!(status.success(), "the build failed");
    Ok(())
}
