//! What the decision log costs: services under load with and without it. Each round
//! loads all of them, one after the other, and compares them with each other, so that
//! other load on the machine affects them alike.

mod child;
mod load;
mod rust;

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use crate::{
    arguments::Scale,
    figure::{Figure, Race, Unit},
    policy,
    progress::say,
    token::Signer,
};

use load::Request;

/// So few that the gate remembers all of them.
const TOKENS: usize = 64;

/// What a service needs to start.
struct Setting {
    policy: String,
    folder: PathBuf,
}

/// Servers that differ only in their log.
#[derive(Clone, Copy)]
enum Log {
    None,
    /// All denials and one of a hundred other requests, as is the default.
    Default,
    Everything,
}

const LOGS: [Log; 3] = [Log::None, Log::Default, Log::Everything];

impl Log {
    /// One of how many allowed requests is logged.
    fn every(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Default => Some(100),
            Self::Everything => Some(1),
        }
    }
}

impl Setting {
    fn file(&self, host: &str, log: Log) -> Option<PathBuf> {
        let every = log.every()?;
        Some(self.folder.join(format!("{host}-{every}.jsonl")))
    }
}

/// Needs Go, and the packed package in `tests/bench/node/node_modules/`.
pub(crate) fn run(scale: &Scale) -> Result<Vec<Race>> {
    let signer = Signer::new("RS256")?;
    let folder = tempfile::tempdir()?;
    let setting = Setting {
        policy: String::from_utf8(policy::typical(&signer)?)?,
        folder: folder.path().into(),
    };
    let requests = load::requests(&signer.tokens(TOKENS)?);
    let mut races = Vec::new();
    let rust = rust::Servers::start("wasmtime", &setting)?;
    races.extend(measure(
        "wasmtime",
        &setting,
        rust.addresses,
        &requests,
        scale,
    )?);
    drop(rust);
    for (host, program) in [("node", child::node()), ("go", child::go()?)] {
        let servers = child::Servers::start(program, host, &setting)?;
        races.extend(measure(
            host,
            &setting,
            servers.addresses,
            &requests,
            scale,
        )?);
    }
    Ok(races)
}

/// The times of one server, in nanoseconds: one for each round.
#[derive(Default)]
struct Times {
    median: Vec<f64>,
    p99: Vec<f64>,
    requests: usize,
}

fn measure(
    host: &str,
    setting: &Setting,
    addresses: [SocketAddr; 3],
    requests: &[Request],
    scale: &Scale,
) -> Result<Vec<Race>> {
    say(&format!("{host}: requests with and without a log"));
    let time = Duration::from_millis(scale.log_ms);
    for address in addresses {
        load::run(address, requests, time)?;
    }
    let mut times = [(); 3].map(|()| Times::default());
    for round in 0..scale.log_rounds {
        // Another one is the first in each round.
        for place in 0..addresses.len() {
            let index = (place + round) % addresses.len();
            let mut took = load::run(addresses[index], requests, time)?;
            took.sort_by(f64::total_cmp);
            let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied();
            let times = &mut times[index];
            times.median.push(at(0.5).context("no request")?);
            times.p99.push(at(0.99).context("no request")?);
            times.requests += took.len();
        }
    }
    let [without, logged, all] = &times;
    let dropped = missing(host, setting, all)?;
    let named = ["decisions logged", "every decision logged"];
    let mut races = Vec::new();
    for (what, with) in named.into_iter().zip([logged, all]) {
        let pairs: [(&str, &[f64], &[f64]); 2] = [
            ("", &with.median, &without.median),
            (", p99", &with.p99, &without.p99),
        ];
        for (part, with, without) in pairs {
            let name = match dropped {
                Some(percent) if what == named[1] => format!("with the log, {percent} % dropped"),
                _ => "with the log".to_owned(),
            };
            let figures = [(name, with), ("without".into(), without)];
            let figures = figures.map(|(name, turns)| Figure::of(name, Unit::Ns, turns.to_vec()));
            let mut race = Race::new(host, format!("a request, {what}{part}"), figures.into(), 1);
            race.paired = Some(median_ratio(with, without));
            races.push(race);
        }
    }
    Ok(races)
}

/// The median of the ratios in each round.
fn median_ratio(with: &[f64], without: &[f64]) -> f64 {
    let mut ratios: Vec<f64> = with.iter().zip(without).map(|(a, b)| a / b).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The share of the decisions that were to be logged and were not, in per cent: a log
/// that drops events costs less.
fn missing(host: &str, setting: &Setting, times: &Times) -> Result<Option<usize>> {
    let file = setting.file(host, Log::Everything).context("a log")?;
    let lines = fs::read(file)?
        .into_iter()
        .filter(|byte| *byte == b'\n')
        .count();
    say(&format!(
        "{host}: {lines} lines of {} requests and the first ones",
        times.requests
    ));
    let percent = times.requests.saturating_sub(lines) * 100 / times.requests.max(1);
    Ok((percent > 0).then_some(percent))
}

#[cfg(test)]
mod tests {
    use super::median_ratio;

    #[test]
    fn rounds_are_compared_one_by_one() {
        // The machine was slow in the second round, for both.
        assert_eq!(median_ratio(&[11.0, 55.0, 22.0], &[10.0, 50.0, 10.0]), 1.1);
    }
}
