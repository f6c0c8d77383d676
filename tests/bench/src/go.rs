//! The sealed module in Go.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    arguments::Scale,
    child::{self, Answer},
    figure::Race,
    progress::say,
    rsa_alone,
};

/// Needs Go, and the sealed module in `hosts/go/countersign/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("go: making tokens");
    let mut answer = child::ask(&mut Command::new(build()?), &child::workload(scale)?)?;
    let alone = rsa_alone::of_child("go", &answer.races, scale)?;
    answer.races.extend(alone);
    Ok(answer)
}

/// Reads the largest documents.
pub(crate) fn large(workload: &Value) -> Result<Vec<Race>> {
    Ok(child::ask(Command::new(build()?).arg("large"), workload)?.races)
}

pub(crate) fn build() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = here
        .join("../../target/bench/go")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let built = Command::new("go")
        .current_dir(here.join("go"))
        .args(["build", "-o"])
        .args([&program])
        .arg(".")
        .status()
        .context("`go` does not start")?;
    ensure!(built.success(), "the part in Go is not built: {built}");
    Ok(program)
}
