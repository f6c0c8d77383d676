//! Requests that a configuration treats alike.
//!
//! Every path, host and method that it names, and all their intersections, divide
//! requests into regions. The smallest region that covers a request is its own.

use std::{collections::HashSet, fmt};

use crate::shape::{Host, Method, Path, Shape};

/// A region of requests, but for the smaller ones inside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// Their path, without its query.
    pub path: Path,
    /// Their host.
    pub host: Host,
    /// Their method.
    pub method: Method,
}

/// The largest number of regions: more are of no use to a reader.
pub const REGIONS: usize = 20_000;

/// The regions that these shapes divide requests into, smaller ones first. `None`
/// where there are more than [`REGIONS`].
pub fn regions(paths: Vec<Path>, hosts: Vec<Host>, methods: Vec<Method>) -> Option<Vec<Region>> {
    let (paths, hosts, methods) = (closed(paths)?, closed(hosts)?, closed(methods)?);
    let number = paths
        .len()
        .checked_mul(hosts.len())?
        .checked_mul(methods.len())?;
    if number > REGIONS {
        return None;
    }
    let mut regions = Vec::with_capacity(number);
    for path in &paths {
        for host in &hosts {
            for method in &methods {
                regions.push(Region {
                    path: path.clone(),
                    host: host.clone(),
                    method: method.clone(),
                });
            }
        }
    }
    Some(regions)
}

/// The shapes and all their intersections, each once; a shape that covers others
/// comes after them.
fn closed<S: Shape>(shapes: Vec<S>) -> Option<Vec<S>> {
    let mut closed: Vec<S> = Vec::new();
    let mut known = HashSet::new();
    let mut new = shapes;
    while let Some(shape) = new.pop() {
        if !known.insert(shape.clone()) {
            continue;
        }
        let met = closed.iter().filter_map(|other| other.meet(&shape));
        new.extend(met.filter(|both| !known.contains(both)));
        closed.push(shape);
        if closed.len() > REGIONS {
            return None;
        }
    }
    // Where neither covers the other, the order of the input stays.
    closed.reverse();
    let covered = |shape: &S| closed.iter().filter(|other| shape.covers(other)).count();
    let mut counted: Vec<_> = closed.iter().map(|shape| (covered(shape), shape)).collect();
    counted.sort_by_key(|(covered, _)| *covered);
    Some(
        counted
            .into_iter()
            .map(|(_, shape)| shape.clone())
            .collect(),
    )
}

impl Region {
    /// Every request.
    pub const ANY: Self = Self {
        path: Path::ANY,
        host: Host::ANY,
        method: Method::ANY,
    };

    /// The same for backends that do not distinguish the case of letters.
    pub(crate) fn folded(&self) -> Self {
        Self {
            path: self.path.folded(),
            ..self.clone()
        }
    }

    /// Whether every request of `other` is in this region or in one inside it.
    pub fn covers(&self, other: &Self) -> bool {
        self.path.covers(&other.path)
            && self.host.covers(&other.host)
            && self.method.covers(&other.method)
    }
}

/// `GET api.example.com/orgs/{b}/**`, without a method or host that can be any.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Method::One(name) = &self.method {
            write!(f, "{name} ")?;
        }
        if self.host != Host::Any {
            write!(f, "{}", self.host)?;
        }
        write!(f, "{}", self.path)
    }
}
