//! The auth bridge on one core, with SQLite: exchanges, polls and renewals. There is no
//! peer here that does the same with the same records.

mod campaign;
mod nodes;
mod ours;

use std::{ops::Range, time::Duration};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use crate::{
    arguments::Scale,
    figure::{Figure, Race, Unit},
    progress::say,
    server::{
        cores,
        load::{self, Connection, Seen, To},
    },
    token::{AUDIENCE, Signer},
};
use ours::{Ours, PRESS, SECRET, WORKER, form};

pub(crate) use campaign::run as campaign;
pub(crate) use ours::serve;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Codes that one address may begin within ten minutes, with some to spare.
const OF_ADDRESS: usize = 50;

/// Nodes of a round that take turns, and the connections that they have.
const NODES: usize = 2000;
const CONNECTIONS: usize = 16;

pub(crate) fn run(scale: &Scale) -> Result<Vec<Race>> {
    say("bridge: making tokens");
    let signer = Signer::new("RS256")?;
    let tokens = signer.tokens(scale.distinct)?;
    let folder = tempfile::tempdir()?;
    let bridge = Ours::start(folder.path(), &signer)?;
    let to = bridge.to();
    let runtime = runtime()?;
    let codes = runtime.block_on(begin(&to, scale.distinct))?;
    let all = nodes_of(scale.load_rounds).end;
    runtime.block_on(nodes::write(&bridge.database, all))?;

    let exchanges: Vec<_> = tokens.iter().map(|token| exchange(token)).collect();
    let polls: Vec<_> = codes.iter().map(|code| poll(code)).collect();
    let time = Duration::from_secs(scale.load_s.into());
    let mut seen: [Vec<Seen>; 3] = Default::default();
    for round in 1..=scale.load_rounds {
        say(&format!("bridge: round {round} of {}", scale.load_rounds));
        seen[0].push(load::run(&to, &exchanges, is_token, time)?);
        seen[1].push(load::run(&to, &polls, is_pending, time)?);
        seen[2].push(renewals(&to, nodes_of(round), time)?);
    }
    let names = ["exchange of a new token", "poll", "renewal of a node"];
    let races = names.into_iter().zip(&seen).flat_map(|(name, seen)| {
        let figure = |what: &str, value: fn(&Seen) -> f64| {
            let turns = seen.iter().map(value).collect();
            let figure = Figure::of("bridge, SQLite".into(), Unit::Ns, turns);
            Race::new("bridge", format!("{name}, {what}"), vec![figure], 1)
        };
        [
            figure("a request", |seen| seen.ns),
            figure("p50", |seen| seen.p50_ns),
            figure("p99", |seen| seen.p99_ns),
        ]
    });
    Ok(races.collect())
}

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

/// The nodes of a round, which has the number 1 or more.
fn nodes_of(round: u32) -> Range<usize> {
    let end = round as usize * NODES;
    end - NODES..end
}

fn renewals(to: &To, nodes: Range<usize>, time: Duration) -> Result<Seen> {
    let work = || runtime()?.block_on(nodes::renew(to, nodes, CONNECTIONS, None, time));
    let times: Histogram<u64> = cores::on(cores::LOAD, work)??;
    ensure!(!times.is_empty(), "no node has renewed");
    Ok(Seen {
        ns: time.as_nanos() as f64 / times.len() as f64,
        p50_ns: times.value_at_quantile(0.5) as f64,
        p99_ns: times.value_at_quantile(0.99) as f64,
    })
}

/// Device codes that wait for a person.
async fn begin(to: &To, count: usize) -> Result<Vec<String>> {
    say(&format!("bridge: {count} devices begin"));
    let mut connection = Connection::open(to).await?;
    let mut codes = Vec::new();
    for number in 0..count {
        let address = number / OF_ADDRESS;
        let headers = format!(
            "X-Forwarded-For: 10.0.{}.{}\r\n",
            address / 250,
            address % 250
        );
        let request = form("/pair/start", &headers, &[("client_id", PRESS)]);
        let response = connection.ask(&request).await?;
        let status = response.status;
        ensure!(status == 200, "a device cannot begin: {status}");
        let body: serde_json::Value = serde_json::from_slice(response.body)?;
        let code = body["device_code"].as_str();
        codes.push(code.context("a device gets a code")?.to_owned());
    }
    Ok(codes)
}

fn exchange(token: &str) -> Vec<u8> {
    let parameters = [
        ("grant_type", EXCHANGE),
        ("client_id", WORKER),
        ("client_secret", SECRET),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", AUDIENCE),
    ];
    form("/oauth/token", "", &parameters)
}

fn poll(code: &str) -> Vec<u8> {
    let parameters = [("client_id", PRESS), ("device_code", code)];
    form("/pair/poll", "", &parameters)
}

fn is_token(status: u16, body: &[u8]) -> bool {
    status == 200 && has(body, "access_token")
}

/// Nobody has approved. A poll that is too early costs as much.
fn is_pending(status: u16, body: &[u8]) -> bool {
    status == 400 && (has(body, "authorization_pending") || has(body, "slow_down"))
}

fn has(body: &[u8], word: &str) -> bool {
    str::from_utf8(body).is_ok_and(|body| body.contains(word))
}
