//! The wheel, in Python.

use std::{env, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{
    arguments::Scale,
    child::{self, Answer},
    progress::say,
};

/// `COUNTERSIGN_PYTHON_BENCH` names a Python with the wheel and its peers.
const PYTHON: &str = "COUNTERSIGN_PYTHON_BENCH";

/// Whether there is one.
pub(crate) fn is_possible() -> bool {
    env::var_os(PYTHON).is_some()
}

pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("python: making tokens");
    let python = env::var_os(PYTHON).context(PYTHON)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let workload = child::workload(scale)?;
    child::ask(Command::new(python).arg(folder.join("bench.py")), &workload)
}
