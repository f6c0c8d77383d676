//! The sealed module in Node: a child process measures, this one tells it
//! what and reads the figures.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    arguments::Scale,
    figure::{Figure, Race},
    mix::Mix,
    openssl, policy,
    progress::say,
    race::Plan,
    token::{AUDIENCE, ISSUER, Signer, algorithms},
};

/// What the child answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) races: Vec<Race>,
    pub(crate) versions: BTreeMap<String, String>,
}

/// Needs `npm ci` to have run in `tests/bench/node/`.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("node: making tokens");
    let mut answer = ask(&workload(scale)?)?;
    if let Some(alone) = rsa_alone(scale, &answer.races)? {
        answer.races.push(alone);
    }
    Ok(answer)
}

fn workload(scale: &Scale) -> Result<Value> {
    let signers = algorithms()
        .into_iter()
        .map(Signer::new)
        .collect::<Result<Vec<_>>>()?;
    let cases = signers.iter().map(|signer| case(signer, scale));
    let rsa = Signer::new("RS256")?;
    let mix = Mix::new(scale.mixed);
    Ok(json!({
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "target": policy::TARGET,
        "fresh": plan(scale.fresh()),
        "remembered": plan(scale.remembered()),
        "repeats": scale.repeats,
        "algorithms": cases.collect::<Result<Vec<_>>>()?,
        "hmac": case(&Signer::new("HS256")?, scale)?,
        "mix": { "tokens": rsa.tokens(mix.tokens)?, "order": mix.order, "passes": scale.mix_passes },
        "supply": {
            "policy": text(policy::awaiting_keys(&rsa))?,
            "jwks": policy::jwks(&rsa)?.to_string(),
            "hundred": policy::hundred_keys(&rsa).to_string(),
        },
    }))
}

fn case(signer: &Signer, scale: &Scale) -> Result<Value> {
    Ok(json!({
        "name": signer.algorithm,
        "policy": text(policy::typical(signer)?)?,
        "jwk": signer.public_jwk(),
        "tokens": signer.tokens(scale.fresh().tokens)?,
    }))
}

fn plan(plan: Plan) -> Value {
    json!({ "passes": plan.passes, "tokens": plan.tokens, "turn": plan.turn })
}

fn text(policy: Vec<u8>) -> Result<String> {
    Ok(String::from_utf8(policy)?)
}

fn ask(workload: &Value) -> Result<Answer> {
    let mut child = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/bench.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("`node` does not start: version 20 or later is needed")?;
    let mut input = child.stdin.take().context("no standard input")?;
    input.write_all(workload.to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "the part in Node failed: {}",
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
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
