//! The gate server on one core, compared with what one would run instead for the same
//! question: whether a request with this token may pass.

mod campaign;
mod cores;
mod envoy;
mod issuer;
mod load;
mod memory;
mod ours;
mod peers;
mod process;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{
    arguments::Scale,
    child::Answer,
    figure::{Figure, Race, Unit},
    policy,
    progress::say,
    token::Signer,
};

pub(crate) use campaign::run as campaign;
use issuer::Issuer;
use load::{Allows, Seen, To};
pub(crate) use ours::serve;

/// One who answers, and the requests to it.
struct Contestant {
    name: &'static str,
    to: To,
    allows: Allows,
    requests: Vec<Vec<u8>>,
    seen: [Vec<Seen>; 2],
}

/// The tokens of a run: all requests have the first one, or each has another one.
const TOKENS: [(&str, usize); 2] = [("one token", 1), ("new tokens", usize::MAX)];

/// The peers are compared if `cargo xtask bench` has installed them.
pub(crate) fn run(scale: &Scale) -> Result<Answer> {
    say("server: making tokens");
    let signer = Signer::new("RS256")?;
    let tokens = signer.tokens(scale.distinct)?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let policy = policy::typical(&signer)?;
    let issuer = Issuer::start(policy::jwks(&signer)?)?;

    say("server: starting the contestants");
    let sub = |name: &str| {
        let sub = folder.join(name);
        std::fs::create_dir(&sub).map(|()| sub)
    };
    let tcp = ours::Ours::start(&sub("tcp")?, "127.0.0.1:0", &policy, "nginx")?;
    let socket = folder.join("gate.sock");
    let unix = ours::Ours::start(
        &sub("unix")?,
        &format!("unix:{}", socket.display()),
        &policy,
        "nginx",
    )?;
    let question = |token: &String| ours::question(policy::TARGET, Some(token));
    let mut contestants = vec![
        Contestant::new(
            "server, TCP",
            &tcp.to,
            ours::allows,
            tokens.iter().map(question),
        ),
        Contestant::new(
            "server, Unix socket",
            &unix.to,
            ours::allows,
            tokens.iter().map(question),
        ),
    ];
    let ours = contestants.len();
    let mut started = Vec::new();
    if peers::is_here(peers::OPA) {
        let opa = peers::opa(folder, &signer)?;
        let question = |token: &String| peers::opa_question(policy::TARGET, token);
        let requests = tokens.iter().map(question);
        contestants.push(Contestant::new("OPA", &opa.to, peers::opa_allows, requests));
        started.push(opa);
    }
    if peers::is_here(peers::OAUTH2_PROXY) {
        let proxy = peers::oauth2_proxy(folder, &issuer.jwks_uri())?;
        let requests = tokens
            .iter()
            .map(|token| peers::oauth2_proxy_question(token));
        let allows = peers::oauth2_proxy_allows;
        contestants.push(Contestant::new("oauth2-proxy", &proxy.to, allows, requests));
        started.push(proxy);
    }
    for contestant in &contestants {
        contestant.prove(tokens.first().context("no tokens")?)?;
    }
    race(scale, &mut contestants)?;
    drop(started);
    let mut races = races(&contestants, ours);
    if peers::is_here(peers::OPA) && envoy::is_possible() {
        races.extend(envoy::run(scale, folder, &signer, &tokens)?);
    }
    races.push(memory::run(scale, folder)?);
    Ok(Answer {
        races,
        versions: peers::versions().collect(),
    })
}

/// The contestants take turns, so that other load on the machine affects all of them.
fn race(scale: &Scale, contestants: &mut [Contestant]) -> Result<()> {
    let time = Duration::from_secs(scale.load_s.into());
    for round in 0..scale.load_rounds {
        say(&format!(
            "server: round {} of {}",
            round + 1,
            scale.load_rounds
        ));
        for contestant in contestants.iter_mut() {
            for (kind, (_, count)) in TOKENS.into_iter().enumerate() {
                let requests = &contestant.requests[..count.min(contestant.requests.len())];
                let seen = load::run(&contestant.to, requests, contestant.allows, time);
                contestant.seen[kind].push(seen.with_context(|| contestant.name)?);
            }
        }
    }
    Ok(())
}

impl Contestant {
    fn new(
        name: &'static str,
        to: &To,
        allows: Allows,
        requests: impl Iterator<Item = Vec<u8>>,
    ) -> Self {
        let (to, requests) = (to.clone(), requests.collect());
        Self {
            name,
            to,
            allows,
            requests,
            seen: Default::default(),
        }
    }

    /// It allows what it should, and only that: who allows everything is fast.
    fn prove(&self, token: &str) -> Result<()> {
        let good = self.requests.first().context("no requests")?;
        let forged = String::from_utf8_lossy(good).replace(token, &forged(token));
        let allowed = [&good[..], forged.as_bytes()]
            .map(|request| load::once(&self.to, request, self.allows));
        let [good, forged] = allowed;
        ensure!(good?, "{} denies a good token", self.name);
        ensure!(!forged?, "{} allows a forged token", self.name);
        Ok(())
    }

    fn figure(&self, kind: usize, value: impl Fn(&Seen) -> f64) -> Figure {
        let turns = self.seen[kind].iter().map(value).collect();
        Figure::of(self.name.into(), Unit::Ns, turns)
    }
}

/// The same token with another signature of the same length.
fn forged(token: &str) -> String {
    let at = token.rfind('.').map_or(0, |dot| dot + 1);
    let (rest, signature) = token.split_at(at);
    let other = if signature.starts_with('A') { "B" } else { "A" };
    [rest, other, signature.get(1..).unwrap_or_default()].concat()
}

fn races(contestants: &[Contestant], ours: usize) -> Vec<Race> {
    type Value = fn(&Seen) -> f64;
    let values: [(&str, Value); 3] = [
        ("a request", |seen| seen.ns),
        ("p50", |seen| seen.p50_ns),
        ("p99", |seen| seen.p99_ns),
    ];
    let mut races = Vec::new();
    for (kind, (tokens, _)) in TOKENS.into_iter().enumerate() {
        for (what, value) in values {
            let figures = contestants
                .iter()
                .map(|contestant| contestant.figure(kind, value));
            races.push(Race::new(
                "server",
                format!("{what}, {tokens}"),
                figures.collect(),
                ours,
            ));
        }
    }
    races
}
