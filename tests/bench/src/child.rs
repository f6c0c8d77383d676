//! Hosts that are measured in their own process: its workload on standard
//! input, and the figures that it prints.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    arguments::Scale,
    figure::Race,
    large::{self, Document},
    mix::Mix,
    policy,
    race::Plan,
    token::{AUDIENCE, ISSUER, Signer, algorithms},
};

/// The output of the child.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) races: Vec<Race>,
    pub(crate) versions: BTreeMap<String, String>,
}

/// The workload, which is the same for every host.
pub(crate) fn workload(scale: &Scale) -> Result<Value> {
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

/// The workload with [`large::documents`] only.
pub(crate) fn large_workload(documents: &[Document], scale: &Scale) -> Result<Value> {
    let documents = documents.iter().map(|document| {
        let policy = text(document.policy())?;
        Ok(json!({ "name": document.name, "policy": policy, "body": document.body }))
    });
    Ok(json!({
        "readings": scale.readings,
        "goalMs": large::GOAL_MS,
        "documents": documents.collect::<Result<Vec<_>>>()?,
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

/// Passes the workload to a program, and reads its figures.
pub(crate) fn ask(program: &mut Command, workload: &Value) -> Result<Answer> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program:?} does not start"))?;
    let mut input = child.stdin.take().context("no standard input")?;
    input.write_all(workload.to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{program:?} failed: {}",
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}
