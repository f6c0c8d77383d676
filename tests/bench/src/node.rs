//! The sealed module in Node.

use std::{path::Path, process::Command};

use anyhow::Result;
use serde_json::Value;

use crate::{
    arguments::Scale,
    child::{self, Answer},
    figure::Race,
    progress::say,
    rsa_alone,
};

/// Needs the packages in `tests/bench/node/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("node: making tokens");
    let mut answer = ask("bench.mjs", &child::workload(scale)?)?;
    let alone = rsa_alone::of_child("node", &answer.races, scale)?;
    answer.races.extend(alone);
    Ok(answer)
}

/// Reads the largest documents. Needs only the package.
pub(crate) fn large(workload: &Value) -> Result<Vec<Race>> {
    Ok(ask("large.mjs", workload)?.races)
}

fn ask(script: &str, workload: &Value) -> Result<Answer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    child::ask(Command::new("node").arg(folder.join(script)), workload)
}
