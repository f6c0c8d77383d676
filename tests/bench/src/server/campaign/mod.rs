//! `cargo xtask campaign server`: the server near its limit for a long time, while the
//! policy is reloaded, keys rotate and the issuer fails. No decision may be wrong, and
//! its memory must not grow.

mod director;
mod judge;
mod tokens;
mod traffic;
mod world;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use countersign_dev_issuer::Issuer as Signing;
use serde_json::{Value, json};

use super::{issuer::Issuer, load, ours::Ours};
use crate::{machine::Machine, progress::say};
use director::{Director, Done};
use tokens::Tokens;
use traffic::Tally;
use world::{Key, Known, Variant, World};

/// How much of its limit the server has to carry.
const SHARE: f64 = 0.8;

/// How long the limit is looked for.
const LOOK: Duration = Duration::from_secs(3);

/// The memory at the end, compared with that after the first fifth.
const GROWTH: f64 = 1.1;
const GROWTH_BYTES: f64 = 8e6;

/// At most this part of the requests may get no decision.
const UNAVAILABLE: f64 = 0.001;

const ISSUER: &str = "https://auth.example.com";

/// The server and its surroundings.
struct Stage {
    server: Ours,
    issuer: Issuer,
    policy: PathBuf,
    admin: PathBuf,
    length: Duration,
}

/// Runs it, and prints its figures. It is an error if a decision is wrong, or memory
/// grows.
pub(crate) fn run(length: Duration) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let signing = Signing::new(ISSUER, "orgs", "EdDSA")?;
    say("campaign: making tokens");
    let world = Arc::new(World::new(Key::new(Known::Good, Tokens::sign(&signing)?)));
    let stage = Stage::start(folder.path(), &signing, length)?;

    say("campaign: looking for the limit");
    let limit = stage.limit(&world)?;
    let rate = limit * SHARE;
    say(&format!(
        "campaign: {rate:.0} requests a second for {} s",
        length.as_secs()
    ));
    let (tally, done, memory) = stage.carry(&world, signing, rate)?;
    print(limit, &tally, &done, &memory);
    ensure!(
        done.reloads > 0 && done.broken > 0 && done.moods > 1,
        "too little has changed"
    );
    let unavailable = tally.unavailable as f64 / tally.requests as f64;
    ensure!(
        unavailable <= UNAVAILABLE,
        "{} requests got no decision",
        tally.unavailable
    );
    memory.require_flat()
}

impl Stage {
    fn start(folder: &Path, signing: &Signing, length: Duration) -> Result<Self> {
        let issuer = Issuer::start(signing.jwks())?;
        issuer.publish(|published| published.max_age_s = 60);
        let [policy, admin, socket] =
            ["bench.json", "admin.sock", "gate.sock"].map(|name| folder.join(name));
        let text = policy_of(Variant::Plain, &issuer.jwks_uri()).to_string();
        fs::write(&policy, text)?;
        let config = json!({
            "listen": format!("unix:{}", socket.display()),
            "policies": { "bench": { "file": policy } },
            "dialects": ["nginx"],
            "admin": format!("unix:{}", admin.display()),
        });
        let server = Ours::start_with(folder, &config)?;
        Ok(Self {
            server,
            issuer,
            policy,
            admin,
            length,
        })
    }

    fn policy(&self, variant: Variant) -> Value {
        policy_of(variant, &self.issuer.jwks_uri())
    }

    /// Nobody must read half of it.
    fn write_policy(&self, text: &str) -> Result<()> {
        let next = self.policy.with_extension("next");
        fs::write(&next, text)?;
        Ok(fs::rename(next, &self.policy)?)
    }

    /// Whether the server has put the policy in force.
    fn reload(&self) -> Result<bool> {
        let request = b"POST /reload HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\n\r\n";
        load::once(&load::To::Unix(self.admin.clone()), request, |status, _| {
            status == 200
        })
    }

    /// As many requests a second as it carries.
    fn limit(&self, world: &Arc<World>) -> Result<f64> {
        let end = Arc::new(AtomicBool::new(false));
        let of_clock = end.clone();
        let clock = thread::spawn(move || {
            thread::sleep(LOOK);
            of_clock.store(true, Ordering::SeqCst);
        });
        let tally = traffic::run(&self.server.to, world, None, &end)?;
        clock.join().expect("a clock does not panic");
        Ok(tally.per_second())
    }

    /// Carries a rate while everything changes.
    fn carry(
        &self,
        world: &Arc<World>,
        signing: Signing,
        rate: f64,
    ) -> Result<(Tally, Done, Memory)> {
        let end = Arc::new(AtomicBool::new(false));
        let mut director = Director::new(self, world.clone(), signing);
        let mut memory = Memory::default();
        let pause = (self.length / 16).clamp(Duration::from_millis(500), Duration::from_secs(8));
        let start = Instant::now();
        let tally = thread::scope(|scope| {
            let load = scope.spawn(|| traffic::run(&self.server.to, world, Some(rate), &end));
            let directed = director.run(pause, &end, || {
                memory
                    .0
                    .push((start.elapsed(), self.server.process.resident_bytes()?));
                if start.elapsed() > self.length {
                    end.store(true, Ordering::SeqCst);
                }
                Ok(())
            });
            end.store(true, Ordering::SeqCst);
            let tally = load.join().expect("the load does not panic");
            directed.and(tally)
        })?;
        Ok((tally, director.done, memory))
    }
}

fn policy_of(variant: Variant, jwks_uri: &str) -> Value {
    let member = json!({ "tenant": "{org}" });
    let admin = match variant {
        Variant::Strict => json!({ "tenant": "{org}", "roles": ["admin"] }),
        _ => member.clone(),
    };
    json!({
        "contract": "1",
        "issuers": [{
            "name": "platform", "issuer": ISSUER, "audiences": ["orgs"], "algorithms": ["EdDSA"],
            "keys": { "jwks_uri": jwks_uri, "insecure_http": true },
            "claims": { "tenant": "/tenant_id" },
        }],
        "rules": [
            { "path": "/orgs/{org}/admin/**", "require": admin },
            { "path": "/orgs/{org}/**", "require": member },
        ],
        "forward": { "x-auth-subject": "subject", "x-auth-tenant": "tenant" },
    })
}

/// The resident memory over time.
#[derive(Default)]
struct Memory(Vec<(Duration, f64)>);

impl Memory {
    /// The most after the first fifth, in the second fifth, and in the last one.
    fn early_and_late(&self) -> Option<(f64, f64)> {
        let fifth = self.0.len() / 5;
        let most = |part: &[(Duration, f64)]| part.iter().map(|(_, bytes)| *bytes).reduce(f64::max);
        Some((
            most(self.0.get(fifth..2 * fifth)?)?,
            most(self.0.get(4 * fifth..)?)?,
        ))
    }

    fn require_flat(&self) -> Result<()> {
        let (early, late) = self.early_and_late().context("too few samples of memory")?;
        ensure!(
            late <= early * GROWTH + GROWTH_BYTES,
            "memory has grown from {:.1} to {:.1} MB",
            early / 1e6,
            late / 1e6
        );
        Ok(())
    }
}

fn print(limit: f64, tally: &Tally, done: &Done, memory: &Memory) {
    let ms = |quantile| tally.times.value_at_quantile(quantile) as f64 / 1e6;
    let (early, late) = memory.early_and_late().unwrap_or_default();
    println!("{}", Machine::this().sentence());
    println!("limit                {limit:.0} requests a second");
    println!(
        "carried              {:.0} requests a second for {:.0} s",
        tally.per_second(),
        tally.elapsed.as_secs_f64()
    );
    println!(
        "requests             {} ({} allowed), none decided wrongly",
        tally.requests, tally.allowed
    );
    println!("no decision          {}", tally.unavailable);
    println!("judged by two truths {}", tally.blurred);
    println!("not sent in time     {}", tally.skipped);
    println!(
        "times                p50 {:.2} ms, p99 {:.2} ms, longest {:.0} ms",
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
    println!(
        "memory               {:.1} MB early, {:.1} MB late",
        early / 1e6,
        late / 1e6
    );
    println!(
        "changes              {} reloads, {} broken policies, {} rotations ({} noticed), {} moods of the issuer",
        done.reloads, done.broken, done.rotations, done.seen, done.moods
    );
}
