//! What was measured.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Nanoseconds an operation.
    Ns,
    Bytes,
    /// Of memory, an operation.
    Allocations,
}

/// One quantity of one contestant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// The least: what the machine does when nothing disturbs it.
    pub(crate) best: f64,
    pub(crate) median: f64,
    /// How often it was measured.
    pub(crate) turns: usize,
}

impl Figure {
    pub(crate) fn of(name: String, unit: Unit, mut turns: Vec<f64>) -> Self {
        turns.sort_by(f64::total_cmp);
        Self {
            name,
            unit,
            best: turns.first().copied().unwrap_or(f64::NAN),
            median: turns.get(turns.len() / 2).copied().unwrap_or(f64::NAN),
            turns: turns.len(),
        }
    }

    /// What `self` takes beyond what `part` takes.
    pub(crate) fn less(&self, part: &Self) -> Self {
        Self {
            name: self.name.clone(),
            unit: self.unit,
            best: self.best - part.best,
            median: self.median - part.median,
            turns: self.turns.min(part.turns),
        }
    }
}

/// Figures that belong together: the first of ours is held against every
/// peer, the others of ours against the first peer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Race {
    pub(crate) host: String,
    pub(crate) work: String,
    pub(crate) ours: Vec<Figure>,
    pub(crate) peers: Vec<Figure>,
}

impl Race {
    /// Of figures in one list, the first `ours` of which are ours.
    pub(crate) fn new(host: &str, work: String, mut figures: Vec<Figure>, ours: usize) -> Self {
        let peers = figures.split_off(ours.min(figures.len()));
        Self {
            host: host.into(),
            work,
            ours: figures,
            peers,
        }
    }
}

/// `1.23 µs`.
pub(crate) fn amount(value: f64, unit: Unit) -> String {
    let (value, unit) = match unit {
        Unit::Ns if value >= 1e9 => (value / 1e9, "s"),
        Unit::Ns if value >= 1e6 => (value / 1e6, "ms"),
        Unit::Ns if value >= 1e3 => (value / 1e3, "µs"),
        Unit::Ns => (value, "ns"),
        Unit::Bytes if value < 1e6 => (value / 1e3, "KB"),
        Unit::Bytes => (value / f64::from(1 << 20), "MiB"),
        Unit::Allocations => return format!("{value:.0} allocations"),
    };
    format!("{} {unit}", digits(value))
}

/// Three digits that count.
pub(crate) fn digits(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}
