//! The rows of the table: our figure, the figure of the peer, and the verdict
//! on their ratio.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    bar,
    figure::{Figure, Race},
    machine::{self, Machine},
};

const HOSTS: [&str; 8] = [
    "native", "wasmtime", "node", "npm", "go", "python", "envoy", "server",
];

/// All results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The time of the run (RFC 3339).
    pub(crate) taken: String,
    /// Whether it was a run with `--quick`, whose figures are not meaningful.
    pub(crate) quick: bool,
    pub(crate) machine: Machine,
    /// The load average of the last minute, which includes the bench itself.
    pub(crate) load: Option<f64>,
    pub(crate) commit: Option<String>,
    /// SHA-256 of the sealed module.
    pub(crate) digest: &'static str,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) host: String,
    pub(crate) work: String,
    pub(crate) ours: Figure,
    pub(crate) peer: Option<Figure>,
    /// Our best figure divided by the peer's, or our median by the peer's under
    /// load, or the median of the ratios of pairs. Below 1, ours is faster.
    pub(crate) ratio: Option<f64>,
    pub(crate) must: Option<f64>,
    pub(crate) aim: Option<f64>,
    pub(crate) verdict: Option<Verdict>,
    /// Whether it was measured under load, so that medians are compared.
    #[serde(skip)]
    is_loaded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The ratio is at most `aim`.
    Aim,
    /// The ratio is at most `must`.
    Must,
    Missed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aim => "aim",
            Self::Must => "must",
            Self::Missed => "missed",
        })
    }
}

impl Report {
    pub(crate) fn new(
        races: Vec<Race>,
        child_versions: BTreeMap<String, String>,
        quick: bool,
    ) -> Self {
        let mut versions = machine::versions();
        versions.extend(child_versions);
        let mut rows: Vec<Row> = races.into_iter().flat_map(rows).collect();
        rows.sort_by_key(|row| HOSTS.iter().position(|host| row.host == *host));
        Self {
            taken: format!("{:.0}", jiff::Timestamp::now()),
            quick,
            machine: Machine::this(),
            load: machine::load(),
            commit: machine::commit(),
            digest: countersign_host::SHA256,
            versions,
            rows,
        }
    }

    pub(crate) fn missed(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == Some(Verdict::Missed))
            .count()
    }
}

fn rows(race: Race) -> Vec<Row> {
    let Race {
        host,
        work,
        ours,
        peers,
        paired,
    } = race;
    let row = |ours: &Figure, peer: Option<&Figure>| Row::new(&host, &work, ours, peer, paired);
    let mut rows = Vec::new();
    for (place, ours) in ours.iter().enumerate() {
        let opposed = if place == 0 {
            &peers[..]
        } else {
            peers.get(..1).unwrap_or_default()
        };
        match opposed {
            [] => rows.push(row(ours, None)),
            opposed => rows.extend(opposed.iter().map(|peer| row(ours, Some(peer)))),
        }
    }
    rows
}

impl Row {
    fn new(
        host: &str,
        work: &str,
        ours: &Figure,
        peer: Option<&Figure>,
        paired: Option<f64>,
    ) -> Self {
        let bar = peer.and_then(|peer| bar::find(host, work, &peer.name));
        let is_loaded = ["envoy", "server"].contains(&host) || paired.is_some();
        let of_figures = |peer| typical(ours, is_loaded) / typical(peer, is_loaded);
        let ratio = peer.map(|peer| paired.unwrap_or_else(|| of_figures(peer)));
        let judged = ratio.zip(bar).map(|(ratio, bar)| match bar.aim {
            Some(aim) if ratio <= aim => Verdict::Aim,
            _ if ratio <= bar.must => Verdict::Must,
            _ => Verdict::Missed,
        });
        Self {
            host: host.into(),
            work: work.into(),
            ours: ours.clone(),
            peer: peer.cloned(),
            ratio,
            must: bar.map(|bar| bar.must),
            aim: bar.and_then(|bar| bar.aim),
            verdict: judged,
            is_loaded,
        }
    }

    /// The figure of this row that is compared.
    pub(crate) fn typical(&self, figure: &Figure) -> f64 {
        typical(figure, self.is_loaded)
    }
}

/// Under load, the best figure is not representative.
fn typical(figure: &Figure, is_loaded: bool) -> f64 {
    if is_loaded {
        figure.median
    } else {
        figure.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Unit;

    fn verdict(ours: f64) -> Option<Verdict> {
        let figure = |name: &str, best| Figure::of(name.into(), Unit::Ns, vec![best]);
        let (ours, peer) = (figure("ours", ours), figure("jose", 100.0));
        Row::new("node", "RS256, fresh", &ours, Some(&peer), None).verdict
    }

    #[test]
    fn a_ratio_is_judged_by_the_bar_of_its_host_work_and_peer() {
        assert_eq!(verdict(25.0), Some(Verdict::Aim));
        assert_eq!(verdict(40.0), Some(Verdict::Must));
        assert_eq!(verdict(40.1), Some(Verdict::Missed));
    }

    #[test]
    fn what_has_no_bar_is_not_judged() {
        let figure = |name: &str| Figure::of(name.into(), Unit::Ns, vec![1.0]);
        let row = Row::new(
            "node",
            "RS256, fresh",
            &figure("ours"),
            Some(&figure("another")),
            None,
        );
        assert_eq!(row.verdict, None);
        assert_eq!(row.ratio, Some(1.0));
    }

    #[test]
    fn the_ratio_of_pairs_is_that_of_the_row() {
        let figure = |name: &str| Figure::of(name.into(), Unit::Ns, vec![1.0]);
        let (with, without) = (figure("with the log"), figure("without"));
        let work = "a request, decisions logged";
        let row = Row::new("wasmtime", work, &with, Some(&without), Some(1.06));
        assert_eq!(
            (row.ratio, row.verdict),
            (Some(1.06), Some(Verdict::Missed))
        );
    }

    #[test]
    fn the_first_of_ours_meets_every_peer_and_the_others_the_first() {
        let figure = |name: &str| Figure::of(name.into(), Unit::Ns, vec![1.0]);
        let race = Race {
            host: "node".into(),
            work: "RS256, fresh".into(),
            ours: vec![figure("a"), figure("b")],
            peers: vec![figure("x"), figure("y")],
            paired: None,
        };
        let met: Vec<_> = rows(race)
            .into_iter()
            .map(|row| row.ours.name + &row.peer.expect("met").name)
            .collect();
        assert_eq!(met, ["ax", "ay", "bx"]);
    }
}
