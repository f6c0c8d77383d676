//! The requests, at a steady rate, each judged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::{runtime, task::JoinSet, time};

use super::{
    judge::{Said, is_right},
    tokens::Kind,
    world::{Known, Variant, World},
};
use crate::server::{
    cores,
    load::{self, Connection, To},
    ours,
};

/// Enough for the rate while one of them waits for a document.
const CONNECTIONS: u64 = 32;

/// Behind by this much, a connection gives up what it owes: the machine was elsewhere.
const LATE: Duration = Duration::from_secs(1);

/// The timers of the runtime are not finer.
const TICK: Duration = Duration::from_millis(1);

/// What has happened.
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) allowed: u64,
    pub(super) unavailable: u64,
    /// Requests that were judged by more than one truth.
    pub(super) blurred: u64,
    /// Requests that were never sent, as the load was late.
    pub(super) skipped: u64,
    /// From when it should have been sent to the last byte of the answer.
    pub(super) times: Histogram<u64>,
    pub(super) elapsed: Duration,
}

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self {
            requests: 0,
            allowed: 0,
            unavailable: 0,
            blurred: 0,
            skipped: 0,
            times: load::histogram()?,
            elapsed: Duration::ZERO,
        })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.requests += other.requests;
        self.allowed += other.allowed;
        self.unavailable += other.unavailable;
        self.blurred += other.blurred;
        self.skipped += other.skipped;
        self.times.add(&other.times)?;
        Ok(())
    }

    pub(super) fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Sends requests until `end`: `rate` each second, or as many as it can. The first wrong
/// decision is an error.
pub(super) fn run(
    to: &To,
    world: &Arc<World>,
    rate: Option<f64>,
    end: &Arc<AtomicBool>,
) -> Result<Tally> {
    cores::on(cores::LOAD, || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let tally = runtime.block_on(all(to, world, rate, end));
        // The others must end too, whatever happened here.
        end.store(true, Ordering::SeqCst);
        tally
    })?
}

async fn all(
    to: &To,
    world: &Arc<World>,
    rate: Option<f64>,
    end: &Arc<AtomicBool>,
) -> Result<Tally> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    let pause = rate.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate));
    for number in 0..CONNECTIONS {
        let first = start
            + pause
                .unwrap_or_default()
                .mul_f64(number as f64 / CONNECTIONS as f64);
        let (to, world, end) = (to.clone(), world.clone(), end.clone());
        tasks.spawn(async move { one(&to, &world, number, first, pause, &end).await });
    }
    let mut tally = Tally::new()?;
    while let Some(own) = tasks.join_next().await {
        tally.add(&own??)?;
    }
    tally.elapsed = start.elapsed();
    Ok(tally)
}

async fn one(
    to: &To,
    world: &World,
    number: u64,
    mut due: Instant,
    pause: Option<Duration>,
    end: &AtomicBool,
) -> Result<Tally> {
    let mut tally = Tally::new()?;
    let mut connection = Connection::open(to).await?;
    let mut number = number;
    while !end.load(Ordering::Relaxed) {
        let now = Instant::now();
        match pause {
            None => due = now,
            Some(_) if due > now + TICK => time::sleep_until(due.into()).await,
            Some(pause) => {
                while now > due + LATE {
                    due += pause;
                    tally.skipped += 1;
                }
            }
        }
        ask(&mut connection, world, number, &mut tally).await?;
        let time = Instant::now().saturating_duration_since(due);
        tally
            .times
            .saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        due += pause.unwrap_or_default();
        // Every connection has every kind: the number of connections is no multiple.
        number += CONNECTIONS + 1;
    }
    Ok(tally)
}

/// Sends one request and judges the answer by what was true before and after it.
async fn ask(
    connection: &mut Connection,
    world: &World,
    number: u64,
    tally: &mut Tally,
) -> Result<()> {
    let kind = Kind::nth(number);
    let keys = world.keys();
    let key = &keys[number as usize / 16 % keys.len()];
    let before = (world.changes(), key.known(), world.variant());
    let token = key.tokens.of(kind, number);
    let response = connection
        .ask(&ours::question(kind.target(), token))
        .await?;
    let code = response.header("x-countersign-code");
    let said = match (response.status, code.as_deref()) {
        (200..=299, _) => Said::Allowed,
        (401 | 403, Some(code)) if code.ends_with("_unavailable") || code == "internal_error" => {
            Said::Unavailable
        }
        (401 | 403, Some(code)) => Said::Denied(code),
        (503, _) => Said::Unavailable,
        (status, code) => bail!("{kind:?}: an answer that is none: {status} {code:?}"),
    };
    let (mut known, mut variant) = (before.1, before.2);
    if before != (world.changes(), key.known(), world.variant()) {
        (known, variant) = (Known::Either, Variant::Between);
        tally.blurred += 1;
    }
    ensure!(
        is_right(said, kind, known, variant),
        "a wrong decision: {said:?} for {kind:?}, key {known:?}, policy {variant:?}"
    );
    tally.requests += 1;
    tally.allowed += u64::from(said == Said::Allowed);
    tally.unavailable += u64::from(said == Said::Unavailable);
    Ok(())
}
