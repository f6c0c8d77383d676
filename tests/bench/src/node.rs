//! The sealed module in Node.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    arguments::Scale,
    child::{self, Answer},
    figure::{Figure, Race},
    openssl,
    progress::say,
};

/// Needs `npm ci` to have run in `tests/bench/node/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("node: making tokens");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/bench.mjs");
    let mut answer = child::ask(Command::new("node").arg(script), &child::workload(scale)?)?;
    if let Some(alone) = rsa_alone(scale, &answer.races)? {
        answer.races.push(alone);
    }
    Ok(answer)
}

/// As in wasmtime: an RS256 check less an HS256 check of the same claims. The
/// child's race of HS256 is for this and no row of its own.
fn rsa_alone(scale: &Scale, races: &[Race]) -> Result<Option<Race>> {
    let first = |work: &str| -> Option<&Figure> {
        races
            .iter()
            .find(|race| race.work == work)
            .and_then(|race| race.ours.first())
    };
    let alone = first("RS256, fresh").zip(first("HS256, fresh"));
    let Some((whole, rest)) = alone else {
        return Ok(None);
    };
    Ok(Some(Race {
        host: "node".into(),
        work: "RSA-2048 alone".into(),
        ours: vec![whole.less(rest)],
        peers: openssl::rsa_2048(scale.openssl_s)?.into_iter().collect(),
    }))
}
