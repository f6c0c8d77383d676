//! The largest documents: the time of the longest call that reads a part of
//! one. This call blocks its thread.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use countersign_host::{Instance, Outcome, Response, Supplied};
use serde_json::{Value, json};

use crate::{
    arguments::Scale,
    child,
    figure::{Figure, Race, Unit},
    go, node,
    progress::say,
    token::{self, AUDIENCE, ISSUER, Signer},
};

/// The longest permitted time for which a call blocks a worker or event loop.
pub(crate) const GOAL_MS: f64 = 20.0;

const KEYS: usize = 1_000;
const REVOCATIONS: usize = 500_000;
/// With this length, the list of [`REVOCATIONS`] is just below 32 MiB.
const JTI_LETTERS: usize = 60;

/// A document of the largest permitted size.
pub(crate) struct Document {
    pub(crate) name: &'static str,
    algorithm: &'static str,
    is_list: bool,
    pub(crate) body: String,
}

impl Document {
    /// A policy that fetches only this document.
    pub(crate) fn policy(&self) -> Vec<u8> {
        let fetched = json!({ "jwks_uri": format!("{ISSUER}/jwks.json") });
        let mut issuer = json!({
            "name": "platform",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": [self.algorithm],
            "keys": fetched,
        });
        if self.is_list {
            // An unused secret, so that the gate fetches no keys.
            issuer["keys"] = json!({ "secrets": [{ "kid": "1", "k": "A".repeat(86) }] });
            issuer["revocations"] = json!({ "uri": format!("{ISSUER}/revoked.json") });
        }
        let policy = json!({
            "contract": "1",
            "issuers": [issuer],
            "rules": [{ "path": "/**", "require": {} }],
        });
        policy.to_string().into()
    }

    /// Reads the document in a new instance. Returns the time of the longest
    /// call (ns) and the index of this call.
    fn read(&self) -> Result<(f64, usize)> {
        let mut instance = Instance::open(&self.policy())?;
        let due = instance.due(token::now_ms())?.pop();
        let fetch = due.context("nothing is due")?;
        let outcome = Outcome::Response(Response {
            status: 200,
            cache_control: String::new(),
            body: self.body.clone().into(),
        });
        let mut longest = (0.0, 0);
        for call in 0.. {
            let clock = Instant::now();
            let supplied = match call {
                0 => instance.supply(fetch.source, &fetch.uri, &outcome, token::now_ms())?,
                _ => instance.resume(fetch.source, outcome.part(call), token::now_ms())?,
            };
            let elapsed = clock.elapsed().as_nanos() as f64;
            if elapsed > longest.0 {
                longest = (elapsed, call);
            }
            match supplied {
                Supplied::Unfinished => {}
                Supplied::Accepted(accepted) => {
                    let skipped = accepted.skipped;
                    ensure!(skipped.is_empty(), "skipped: {skipped:?}");
                    break;
                }
                other => bail!("not accepted: {other:?}"),
            }
        }
        Ok(longest)
    }
}

pub(crate) fn documents() -> Result<Vec<Document>> {
    let rsa = Signer::new("RS256")?.public_jwk();
    let set = |jwk: &Value| {
        let keys = (0..KEYS).map(|number| {
            let mut jwk = jwk.clone();
            jwk["kid"] = format!("key-{number}").into();
            jwk
        });
        json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    };
    let revoked = (0..REVOCATIONS).map(|number| format!("{number:0JTI_LETTERS$x}"));
    let list = json!({ "jti": revoked.collect::<Vec<_>>() }).to_string();
    let document = |name, algorithm, is_list, body| Document {
        name,
        algorithm,
        is_list,
        body,
    };
    Ok(vec![
        document("1,000 P-521 keys", "ES512", false, set(&token::p521_jwk()?)),
        document("1,000 RSA keys", "RS256", false, set(&rsa)),
        document("500,000 revocations", "HS512", true, list),
    ])
}

/// Measures in wasmtime, Node and Go.
pub(crate) fn run(scale: &Scale) -> Result<Vec<Race>> {
    let documents = documents()?;
    let mut races = Vec::new();
    for document in &documents {
        let work = format!("longest call, {}", document.name);
        say(&format!("wasmtime: {work}"));
        let longest = (0..scale.readings).map(|_| document.read());
        let longest = longest.collect::<Result<Vec<_>>>()?;
        let calls: Vec<_> = longest.iter().map(|(_, call)| *call).collect();
        say(&format!(
            "wasmtime: it was call {calls:?}, 0 being the first"
        ));
        let times = longest.into_iter().map(|(time, _)| time).collect();
        let ours = Figure::of("sealed, Instance::supply, resume".into(), Unit::Ns, times);
        let goal = Figure::of("goal".into(), Unit::Ns, vec![GOAL_MS * 1e6]);
        races.push(Race::new("wasmtime", work, vec![ours, goal], 1));
    }
    let workload = child::large_workload(&documents, scale)?;
    races.extend(node::large(&workload)?);
    races.extend(go::large(&workload)?);
    Ok(races)
}
