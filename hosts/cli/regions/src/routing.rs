//! Which rules decide in each region, before and after.
//!
//! The gate refuses a path that a backend could read as one of another rule: in
//! other case, with a slash at its end, with its escapes as they were sent, or
//! split at `%2f`. So it also matters whether two regions have the same rule.

use std::collections::{HashMap, HashSet};

use crate::{
    policy::{Match, Policy},
    region::{Region, regions},
    shape::{Host, Method, Path, Segment, Shape},
};

/// A region, and what decides there by each policy.
pub(crate) struct Cell {
    pub(crate) region: Region,
    pub(crate) old: Option<Match>,
    pub(crate) new: Option<Match>,
}

/// The regions of two policies.
pub(crate) struct Routing {
    /// Smaller regions first.
    pub(crate) cells: Vec<Cell>,
    /// The regions in whose rules something else is decided.
    pub(crate) different: Vec<usize>,
    /// Regions whose rules decide the same, but other spellings of their paths may
    /// be refused by one policy and not by the other.
    pub(crate) respelled: Vec<Region>,
    /// Regions of which other spellings were refused, and may not be now.
    pub(crate) laxer: Vec<Region>,
}

/// How many pairs of regions are looked at for a spelling that is refused no more.
const PAIRS: usize = 4_000_000;

impl Routing {
    /// `None` where there are too many regions.
    pub(crate) fn new(old: &Policy<'_>, new: &Policy<'_>) -> Option<Self> {
        let cells = cells(old, new)?;
        let is_same = |cell: &Cell| {
            let text = |policy: &Policy<'_>, at: Option<Match>| {
                at.and_then(|at| Some(policy.pattern(at)?.text.clone()))
            };
            text(old, cell.old) == text(new, cell.new)
        };
        let (mut same, mut different) = (Vec::new(), Vec::new());
        for (index, cell) in cells.iter().enumerate() {
            match is_same(cell) {
                true => same.push(index),
                false => different.push(index),
            }
        }
        let paired = pairs(same.iter().filter_map(|index| cells.get(*index)));
        let is_kept = |cell: &Cell| paired.get(&cell.old).copied() == Some(cell.new);
        let moved = same.iter().filter_map(|index| cells.get(*index));
        let mut respelled: Vec<_> = moved
            .filter(|cell| !is_kept(cell))
            .map(|cell| cell.region.clone())
            .collect();
        let mut readings: Vec<&Cell> = cells.iter().collect();
        let folded;
        if old.refuses_case() || new.refuses_case() {
            folded = self::cells(&old.folded(), &new.folded())?;
            respelled.extend(
                folded
                    .iter()
                    .filter(|cell| !is_kept(cell))
                    .map(|cell| cell.region.clone()),
            );
            readings.extend(&folded);
        }
        // A region in which something else is decided stands for its spellings too.
        let reported: HashSet<_> = different
            .iter()
            .filter_map(|index| cells.get(*index))
            .flat_map(|cell| [cell.region.clone(), cell.region.folded()])
            .collect();
        respelled.retain(|region| !reported.contains(region));
        let laxer = laxer(&cells, &readings);
        Some(Self {
            cells,
            different,
            respelled,
            laxer,
        })
    }
}

fn cells(old: &Policy<'_>, new: &Policy<'_>) -> Option<Vec<Cell>> {
    let (mut paths, mut hosts, mut methods) = (vec![Path::ANY], vec![Host::ANY], vec![Method::ANY]);
    for rule in old.rules.iter().chain(&new.rules) {
        paths.extend(rule.paths.iter().map(|pattern| pattern.path.clone()));
        hosts.extend(rule.hosts.iter().cloned());
        methods.extend(rule.methods.iter().cloned());
    }
    let cell = |region: Region| Cell {
        old: old.find(&region),
        new: new.find(&region),
        region,
    };
    Some(
        regions(paths, hosts, methods)?
            .into_iter()
            .map(cell)
            .collect(),
    )
}

/// For each rule of the old policy its one counterpart in the new one, by the
/// number of regions in which both decide the same, and among equals by the largest.
/// No rule is that of no rule.
fn pairs<'c>(same: impl Iterator<Item = &'c Cell>) -> HashMap<Option<Match>, Option<Match>> {
    let mut counts: HashMap<_, (usize, usize)> = HashMap::new();
    for (index, cell) in same.enumerate() {
        if let (Some(old), Some(new)) = (cell.old, cell.new) {
            let (count, last) = counts.entry((old, new)).or_default();
            (*count, *last) = (*count + 1, index);
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(pair, count)| (std::cmp::Reverse(*count), *pair));
    let mut paired = HashMap::from([(None, None)]);
    let mut taken = Vec::new();
    for ((old, new), _) in counts {
        if !paired.contains_key(&Some(old)) && !taken.contains(&new) {
            paired.insert(Some(old), Some(new));
            taken.push(new);
        }
    }
    paired
}

/// The readings that led to another rule by the old policy, and do not by the new.
fn laxer(cells: &[Cell], readings: &[&Cell]) -> Vec<Region> {
    let mut found = Vec::new();
    let mut left = PAIRS;
    for reading in readings {
        for cell in cells {
            if cell.region.host != reading.region.host
                || cell.region.method != reading.region.method
            {
                continue;
            }
            left = left.saturating_sub(1);
            // No rule is another one only where escapes are read as they were sent.
            let (was, is) = (cell.old != reading.old, cell.new != reading.new);
            let (some_was, some_is) = (reading.old.is_some(), reading.new.is_some());
            let passes = cell.new.is_some() && was && (!is || (some_was && !some_is));
            if left == 0 || (passes && can_be_read(&cell.region.path, &reading.region.path)) {
                found.push(reading.region.clone());
                break;
            }
        }
    }
    found
}

/// Whether some spelling of a path in one region may be read as one in the other.
fn can_be_read(path: &Path, reading: &Path) -> bool {
    let (path, reading) = (path.folded(), reading.folded());
    for (own, read) in path.segments.iter().zip(&reading.segments) {
        match (own, read) {
            (Segment::Literal(own), Segment::Literal(read)) if own != read => return false,
            (Segment::Literal(_), _) => {}
            // It may be split at `%2f` in it.
            _ => return true,
        }
    }
    match path.segments.len() < reading.segments.len() {
        true => path.rest,
        false => reading.rest || path.segments.len() == reading.segments.len(),
    }
}
