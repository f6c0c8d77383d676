//! Measured values.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Nanoseconds per operation.
    Ns,
    Bytes,
    /// Memory allocations per operation.
    Allocations,
}

/// One measured value of one contestant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// The smallest value: the one with the least disturbance by other load.
    pub(crate) best: f64,
    pub(crate) median: f64,
    /// The number of measurements.
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

    /// Returns the difference of `self` and `part`.
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

/// The figures of one comparison. Our first figure is compared with every peer,
/// our other figures only with the first peer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Race {
    pub(crate) host: String,
    pub(crate) work: String,
    pub(crate) ours: Vec<Figure>,
    pub(crate) peers: Vec<Figure>,
    /// The median of the ratios of measurements that were made in pairs; otherwise the
    /// ratio is that of the figures.
    #[serde(default)]
    pub(crate) paired: Option<f64>,
}

impl Race {
    /// Makes a race from one list, in which the first `ours` figures are ours.
    pub(crate) fn new(host: &str, work: String, mut figures: Vec<Figure>, ours: usize) -> Self {
        let peers = figures.split_off(ours.min(figures.len()));
        Self {
            host: host.into(),
            work,
            ours: figures,
            peers,
            paired: None,
        }
    }
}

/// Formats a value with its unit: `1.23 µs`.
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

/// Formats a value with three significant digits.
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
