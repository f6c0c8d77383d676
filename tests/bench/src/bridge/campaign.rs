//! `cargo xtask campaign bridge`: 100,000 nodes that each renew within half an hour, at one
//! bridge on one core with SQLite. No renewal may be refused, and its memory must not grow.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{nodes, ours::Ours, runtime};
use crate::{
    machine::Machine,
    progress::say,
    server::{cores, process::Process},
    token::Signer,
};

const NODES: usize = 100_000;

/// How often a node renews.
const EVERY: Duration = Duration::from_secs(1800);

/// Connections of a proxy before it.
const CONNECTIONS: usize = 16;

/// The memory at the end, compared with that after the first fifth.
const GROWTH: f64 = 1.1;
const GROWTH_BYTES: f64 = 16e6;

/// Runs it for so long, and prints its figures.
pub(crate) fn run(length: Duration) -> Result<()> {
    let signer = Signer::new("RS256")?;
    let folder = tempfile::tempdir()?;
    let bridge = Ours::start(folder.path(), &signer)?;
    say(&format!("campaign: {NODES} nodes are written"));
    runtime()?.block_on(nodes::write(&bridge.database, NODES))?;
    let before = size(folder.path())?;
    let rate = NODES as f64 / EVERY.as_secs_f64();
    say(&format!(
        "campaign: {rate:.1} renewals a second for {} s",
        length.as_secs()
    ));
    let to = bridge.to();
    let carry = |time| {
        let work =
            || runtime()?.block_on(nodes::renew(&to, 0..NODES, CONNECTIONS, Some(rate), time));
        cores::on(cores::LOAD, work)?
    };
    let (start, cpu) = (Instant::now(), cpu_s(&bridge.process)?);
    // In one piece: a node's first renewal is used up when it has renewed.
    let watched = std::thread::scope(|scope| {
        let renewing = scope.spawn(|| carry(length));
        std::thread::sleep(length / 5);
        let early = bridge.process.resident_bytes();
        let times = renewing.join().expect("the load does not panic");
        anyhow::Ok((early?, times?))
    });
    let (early, times) = watched?;
    let share = (cpu_s(&bridge.process)? - cpu) / start.elapsed().as_secs_f64();
    let late = bridge.process.resident_bytes()?;
    println!("{}", Machine::this().sentence());
    println!(
        "{} renewals of {NODES} nodes, none refused; {:.1} a second; p50 {:.2} ms, p99 {:.2} ms; {:.1} % of one core",
        times.len(),
        times.len() as f64 / start.elapsed().as_secs_f64(),
        times.value_at_quantile(0.5) as f64 / 1e6,
        times.value_at_quantile(0.99) as f64 / 1e6,
        share * 100.0,
    );
    println!(
        "memory {:.0} MB after a fifth, {:.0} MB at the end; database {:.0} MB before, {:.0} MB after",
        early / 1e6,
        late / 1e6,
        before / 1e6,
        size(folder.path())? / 1e6,
    );
    let rows = runtime()?.block_on(nodes::rows(&bridge.database))?;
    let rows: Vec<_> = rows
        .iter()
        .map(|(table, count)| format!("{table} {count}"))
        .collect();
    println!("rows: {}", rows.join(", "));
    ensure!(
        late <= (early * GROWTH).max(early + GROWTH_BYTES),
        "the memory has grown"
    );
    Ok(())
}

/// Seconds of a processor that a process has used.
fn cpu_s(process: &Process) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
    // After the name, which may have spaces: the 14th and 15th field are its time.
    let (_, rest) = stat.rsplit_once(')').context("a stat has a name")?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    let ticks = fields.get(11..13).context("a stat has a time")?;
    let ticks: Result<Vec<f64>, _> = ticks.iter().map(|ticks| ticks.parse()).collect();
    // USER_HZ, which is 100 on every Linux.
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}

/// The bytes of SQLite's files.
fn size(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for file in ["bridge.db", "bridge.db-wal"] {
        bytes += fs::metadata(folder.join(file)).map_or(0, |file| file.len());
    }
    Ok(bytes as f64)
}
