//! The stages of a run, with their times and results.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::tally::Tally;
use crate::project;

/// The times of the last run on this machine: each line has the seconds and the
/// name of a stage.
const LAST: &str = "stages.txt";

pub(super) struct Stages {
    start: Instant,
    last: BTreeMap<String, f32>,
    ended: Vec<(String, Duration, Tally)>,
}

impl Stages {
    pub(super) fn new() -> Self {
        let last = fs::read_to_string(path()).unwrap_or_default();
        let last = last.lines().filter_map(|line| {
            let (seconds, name) = line.split_once(' ')?;
            Some((name.to_owned(), seconds.parse().ok()?))
        });
        Self {
            start: Instant::now(),
            last: last.collect(),
            ended: Vec::new(),
        }
    }

    /// Runs a stage that passes or fails.
    pub(super) fn check(&mut self, name: &str, stage: impl FnOnce() -> Result<()>) {
        self.run(name, || {
            stage().map(|()| Tally {
                passed: 1,
                ..Tally::default()
            })
        });
    }

    /// Runs a stage that counts tests. If it cannot run, it counts as one
    /// failure.
    pub(super) fn run(&mut self, name: &str, stage: impl FnOnce() -> Result<Tally>) {
        let last = self.last.get(name).map_or(String::new(), |seconds| {
            format!(" (last time {:.1} min)", seconds / 60.0)
        });
        println!("[{} min] {name}{last}", minutes(self.start.elapsed()));
        let start = Instant::now();
        let tally = stage().unwrap_or_else(|error| {
            println!("failed: {name}: {error:#}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        });
        self.ended.push((name.to_owned(), start.elapsed(), tally));
    }

    /// Prints the table, with the total in the last line.
    pub(super) fn end(self) -> ExitCode {
        let mut total = Tally::default();
        let mut times = String::new();
        println!("\nminutes  passed  failed  stage");
        for (name, time, tally) in self.ended {
            let Tally { passed, failed, .. } = tally;
            println!("{}  {passed:>6}  {failed:>6}  {name}", minutes(time));
            times += &format!("{:.1} {name}\n", time.as_secs_f32());
            total += tally;
        }
        println!(
            "{}  {:>6}  {:>6}  all",
            minutes(self.start.elapsed()),
            total.passed,
            total.failed
        );
        if let Err(error) = fs::write(path(), times) {
            println!("the minutes could not be kept: {error}");
        }
        if env::var_os("CI").is_some() && total.skipped > 0 {
            println!("failed: in CI nothing may be skipped");
            total.failed += 1;
        }
        println!("{total}");
        if total.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn minutes(time: Duration) -> String {
    format!("{:>7.1}", time.as_secs_f32() / 60.0)
}

fn path() -> PathBuf {
    project::target(project::root()).join(LAST)
}
