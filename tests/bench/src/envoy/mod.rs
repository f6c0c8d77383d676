//! The filter in a real Envoy, compared with `jwt_authn` and RBAC for the same
//! policy: one process with one worker, one listener each, `wrk` on loopback.

mod bootstrap;
mod load;
mod process;

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    arguments::Scale,
    figure::{Figure, Race, Unit},
    policy,
    progress::say,
    token::Signer,
};

pub(crate) use bootstrap::{Cluster, Filters, listeners};
use load::{Load, Tokens};
pub(crate) use process::Envoy;

/// More tokens than any contestant remembers, so that each one is verified.
const DISTINCT: usize = 8192;

/// Workers that are added to measure the memory of one.
const WORKERS: u32 = 4;

/// The filters of a listener, and the tokens of the requests to it.
struct Contestant {
    name: &'static str,
    filters: Filters,
    tokens: Tokens,
}

/// The first three are ours, the others are peers and lower limits.
const CONTESTANTS: [Contestant; 7] = {
    const fn contestant(name: &'static str, filters: Filters, tokens: Tokens) -> Contestant {
        Contestant {
            name,
            filters,
            tokens,
        }
    }
    [
        contestant("filter, distinct tokens", Filters::Ours, Tokens::Distinct),
        contestant("filter, native", Filters::OursNative, Tokens::Distinct),
        contestant("filter, one token", Filters::Ours, Tokens::One),
        contestant("jwt_authn + RBAC", Filters::JwtAuthn, Tokens::Distinct),
        contestant(
            "jwt_authn with cache + RBAC",
            Filters::JwtAuthnCached,
            Tokens::One,
        ),
        contestant("empty filter", Filters::Empty, Tokens::One),
        contestant("no filter", Filters::None, Tokens::One),
    ]
};

/// Whether Envoy and `wrk` are installed.
pub(crate) fn is_possible() -> bool {
    env::var_os("COUNTERSIGN_ENVOY").is_some() && load::version().is_some()
}

/// Needs `wrk`, and Envoy in `COUNTERSIGN_ENVOY`, which `cargo xtask bench` sets.
pub(crate) fn run(scale: &Scale) -> Result<Vec<Race>> {
    let binary: PathBuf = env::var_os("COUNTERSIGN_ENVOY")
        .context("COUNTERSIGN_ENVOY names no Envoy: `cargo xtask bench envoy` does")?
        .into();
    load::version().context("`wrk` is not installed: it makes the load")?;
    say("envoy: making tokens");
    let signer = Signer::new("RS256")?;
    let folder = tempfile::tempdir()?;
    let load = Load::new(&folder.path().join("load"), &signer.tokens(DISTINCT)?)?;
    fs::write(folder.path().join("empty.wasm"), bootstrap::empty_filter()?)?;

    let filters = CONTESTANTS.map(|contestant| contestant.filters);
    let listeners = bootstrap::listeners(folder.path(), &filters, &signer)?;
    let envoy = Envoy::start(&binary, folder.path(), &listeners, &[], 1)?;
    let mut turns = CONTESTANTS.map(|_| Vec::new());
    for round in 0..scale.load_rounds {
        say(&format!(
            "envoy: round {} of {}",
            round + 1,
            scale.load_rounds
        ));
        for (turns, (place, contestant)) in turns.iter_mut().zip(CONTESTANTS.iter().enumerate()) {
            let address = envoy.listener(place)?;
            let ns = load.run(address, policy::TARGET, contestant.tokens, scale.load_s)?;
            turns.push(ns);
        }
    }
    drop(envoy);

    let mut names = CONTESTANTS.iter().map(|contestant| contestant.name);
    let figures = turns.map(|turns| {
        let name = names.next().unwrap_or_default().to_owned();
        Figure::of(name, Unit::Ns, turns)
    });
    let [fresh, native, remembered, jwt, cached, empty, none] = figures;
    say("envoy: memory of a worker");
    let memory = memory(&binary, folder.path(), &signer)?;
    let race = |work: &str, ours, peers| Race {
        host: "envoy".into(),
        work: work.into(),
        ours,
        peers,
        paired: None,
    };
    Ok(vec![
        race("a request, distinct tokens", vec![fresh, native], vec![jwt]),
        race(
            "a request, one token",
            vec![remembered],
            vec![cached, empty, none],
        ),
        race("memory of one more worker", vec![memory], Vec::new()),
    ])
}

/// The memory of the filter in one worker: what each further worker adds with
/// the filter, minus what it adds without.
fn memory(binary: &std::path::Path, folder: &std::path::Path, signer: &Signer) -> Result<Figure> {
    let added = |filters: Filters| -> Result<f64> {
        let listeners = bootstrap::listeners(folder, &[filters], signer)?;
        let resident = |workers| -> Result<f64> {
            Envoy::start(binary, folder, &listeners, &[], workers)?.resident_bytes()
        };
        Ok((resident(1 + WORKERS)? - resident(1)?) / f64::from(WORKERS))
    };
    let bytes = added(Filters::Ours)? - added(Filters::None)?;
    Ok(Figure::of("filter".into(), Unit::Bytes, vec![bytes]))
}
