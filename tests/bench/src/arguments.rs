//! The command line, and the number of measurements for each scale.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::race::Plan;

/// Compare Countersign with other JWT verifiers.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", version)]
pub(crate) struct Arguments {
    /// Suite to run.
    #[arg(value_enum, default_value = "all")]
    pub(crate) suite: Suite,
    /// Run a short test of the bench; its figures are not meaningful.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Save the results in tests/bench/results/ under the name of the processor.
    #[arg(long)]
    pub(crate) save: bool,
    /// Print JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 if a `must` is missed.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run the gate server near its limit for so many seconds, while everything changes.
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub(crate) campaign: Option<u64>,
    /// Be the gate server with this configuration: the bench starts itself so.
    #[arg(long, hide = true)]
    pub(crate) serve: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The crate as native code.
    Native,
    /// The sealed module in wasmtime.
    Wasmtime,
    /// The sealed module in Node.
    Node,
    /// The npm package: its start, and its size in an edge bundle.
    Npm,
    /// The sealed module in Go.
    Go,
    /// The wheel in Python.
    Python,
    /// The filter in Envoy under load (needs `wrk`).
    Envoy,
    /// The gate server on one core under load.
    Server,
    /// Policies with 1 to 10,000 issuers and rules.
    Growth,
    /// The largest documents, in wasmtime, Node and Go.
    Documents,
    /// Services with and without their decision log, in wasmtime, Node and Go.
    Log,
    /// All suites.
    All,
}

impl Suite {
    pub(crate) fn has(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

/// The number of measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    quick: bool,
    /// Repeats of operations other than checks.
    pub(crate) repeats: usize,
    /// Repeats of reading a large document.
    pub(crate) readings: usize,
    /// New processes for each contestant.
    pub(crate) starts: usize,
    /// Seconds for which `openssl speed` runs.
    pub(crate) openssl_s: u32,
    /// Requests in the mix.
    pub(crate) mixed: usize,
    pub(crate) mix_passes: usize,
    /// Runs for each listener under load, and the seconds of each run.
    pub(crate) load_rounds: u32,
    pub(crate) load_s: u32,
    /// Rounds of load with and without a decision log, and the milliseconds for each
    /// server in a round.
    pub(crate) log_rounds: usize,
    pub(crate) log_ms: u64,
    /// Tokens that come in turn, as new ones. More than anybody remembers.
    pub(crate) distinct: usize,
}

impl Scale {
    pub(crate) fn new(quick: bool) -> Self {
        match quick {
            true => Self {
                quick,
                repeats: 3,
                readings: 1,
                starts: 2,
                openssl_s: 0,
                mixed: 60,
                mix_passes: 1,
                load_rounds: 1,
                load_s: 1,
                log_rounds: 2,
                log_ms: 30,
                distinct: 64,
            },
            false => Self {
                quick,
                repeats: 200,
                readings: 5,
                starts: 20,
                openssl_s: 1,
                mixed: 20_000,
                mix_passes: 7,
                load_rounds: 7,
                load_s: 3,
                log_rounds: 60,
                log_ms: 250,
                distinct: 8192,
            },
        }
    }

    // A turn is shorter than a time slice of the operating system.

    /// A pass has more tokens than the gate remembers, so that the time
    /// includes eviction.
    pub(crate) fn fresh(&self) -> Plan {
        self.plan(Plan {
            passes: 4,
            tokens: 2048,
            turn: 32,
        })
    }

    /// The tokens are so few that the gate remembers all of them, whatever
    /// their hashes are.
    pub(crate) fn remembered(&self) -> Plan {
        self.plan(Plan {
            passes: 2000,
            tokens: 64,
            turn: 64,
        })
    }

    pub(crate) fn grown_fresh(&self) -> Plan {
        self.plan(Plan {
            passes: 8,
            tokens: 512,
            turn: 64,
        })
    }

    fn plan(&self, full: Plan) -> Plan {
        if self.quick {
            Plan {
                passes: 2,
                tokens: 8,
                turn: 4,
            }
        } else {
            full
        }
    }
}
