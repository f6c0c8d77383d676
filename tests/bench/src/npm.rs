//! The npm package: its start, and its size in an edge bundle.

use std::{path::Path, process::Command};

use anyhow::Result;
use serde_json::json;

use crate::{
    arguments::Scale,
    child::{self, Answer},
    policy,
    token::{AUDIENCE, ISSUER, Signer},
};

/// Needs the peers and the packed package in
/// `tests/bench/node/node_modules/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    let signer = Signer::new("RS256")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/npm.mjs");
    let workload = json!({
        "starts": scale.starts,
        "policy": String::from_utf8(policy::typical(&signer)?)?,
        "jwk": signer.public_jwk(),
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "token": signer.token(ISSUER, 0)?,
    });
    child::ask(Command::new("node").arg(script), &workload)
}
