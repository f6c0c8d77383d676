//! The sealed module in Node.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    arguments::Scale,
    child::{self, Answer},
    progress::say,
    rsa_alone,
};

/// Needs the packages in `tests/bench/node/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("node: making tokens");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/bench.mjs");
    let mut answer = child::ask(Command::new("node").arg(script), &child::workload(scale)?)?;
    let alone = rsa_alone::of_child("node", &answer.races, scale)?;
    answer.races.extend(alone);
    Ok(answer)
}
