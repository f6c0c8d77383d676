//! The command line, and how much each choice of it measures.

use clap::{Parser, ValueEnum};

use crate::race::Plan;

/// Countersign against the verifiers that one would take instead.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", version)]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    pub(crate) suite: Suite,
    /// A look at whether it works: the figures mean little.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keep the results in tests/bench/results/, named after the processor.
    #[arg(long)]
    pub(crate) save: bool,
    /// Print JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 if a must was missed.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The crate, compiled for this machine.
    Native,
    /// The sealed module in wasmtime.
    Wasmtime,
    /// The sealed module in Node.
    Node,
    /// The npm package: its start, and what it adds to an edge bundle.
    Npm,
    /// The sealed module in Go.
    Go,
    /// The filter in Envoy, under load: needs `wrk`.
    Envoy,
    /// 1 to 10,000 issuers and rules.
    Growth,
    /// The largest documents, in wasmtime, Node and Go.
    Documents,
    /// Everything.
    All,
}

impl Suite {
    pub(crate) fn has(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    quick: bool,
    /// Of what is no check.
    pub(crate) repeats: usize,
    /// Of the reading of a large document.
    pub(crate) readings: usize,
    /// Fresh processes of each contestant.
    pub(crate) starts: usize,
    /// Seconds that OpenSSL measures itself for.
    pub(crate) openssl_s: u32,
    /// Requests of the mix.
    pub(crate) mixed: usize,
    pub(crate) mix_passes: usize,
    /// How often each of Envoy's listeners is loaded, and for how long.
    pub(crate) load_rounds: u32,
    pub(crate) load_s: u32,
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
            },
        }
    }

    // A turn is shorter than the slices of time that the system hands out.

    /// A pass has more tokens than are remembered, so that forgetting is part
    /// of it.
    pub(crate) fn fresh(&self) -> Plan {
        self.plan(Plan {
            passes: 4,
            tokens: 2048,
            turn: 32,
        })
    }

    /// Few enough that all of them are remembered at once, whichever places
    /// they fall into.
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
