//! From conditions to rules of which the first that matches decides.
//!
//! Requests are parted into regions by every path, host and method that the
//! input names, closed under intersection. In one region the input decides
//! alike, or the strictest of what it could decide is taken.

use std::collections::BTreeSet;

use super::{
    formula::{Asked, Formula, Reading, Region},
    shape::{Host, Method, Path, Shape},
};

/// What the input does with a request.
#[derive(Debug, Default)]
pub(super) struct Gateway<'i> {
    /// Which token it asks for, by the first condition that holds; without one
    /// it looks at no token.
    pub(super) authn: Vec<(Formula<'i>, Authn)>,
    /// What must hold then, all of it.
    pub(super) filters: Vec<Formula<'i>>,
    /// All issuers of the policy, by name.
    pub(super) issuers: BTreeSet<String>,
}

/// Which token is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Authn {
    /// None is looked at.
    Ignored,
    /// A token that comes must be what is asked; it may be missing.
    Verified { missing: bool, asked: Asked },
}

/// Who may make a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Access {
    Public,
    Token { optional: bool, asked: Asked },
}

/// Regions that are decided alike, in the words of a policy.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) paths: Vec<Path>,
    /// Empty: any.
    pub(super) hosts: Vec<Host>,
    /// Empty: any.
    pub(super) methods: Vec<String>,
    pub(super) access: Access,
}

/// More regions make no policy that anybody would read.
const REGIONS: usize = 20_000;

impl Gateway<'_> {
    /// The same where a prefix means whole segments of the path.
    pub(super) fn with_whole_segments(self) -> Self {
        let authn = self.authn.into_iter();
        let filters = self.filters.into_iter();
        Self {
            authn: authn
                .map(|(condition, authn)| (condition.with_whole_segments(), authn))
                .collect(),
            filters: filters.map(Formula::with_whole_segments).collect(),
            issuers: self.issuers,
        }
    }

    /// The rules; `None` where there would be far too many.
    pub(super) fn rules(&self) -> Option<Vec<Rule>> {
        let regions = self.regions()?;
        let decided = regions.into_iter().map(|region| {
            let access = self.access(&region);
            (region, access)
        });
        let (head, others) = without_head(decided.collect());
        let mut rules = merged(without_repetition(others));
        // Where nothing is admitted there is nothing to keep from it.
        if !rules.is_empty() {
            rules.splice(0..0, head);
        }
        Some(rules)
    }

    fn access(&self, region: &Region) -> Access {
        let reading = |has_token| Reading {
            region,
            has_token,
            issuers: &self.issuers,
        };
        let filtered = |has_token| {
            let filters = self.filters.iter();
            Asked::all(
                filters
                    .map(|filter| filter.under(reading(has_token)))
                    .collect(),
            )
        };
        let without_token = filtered(false) == Asked::Nothing;
        let admitted = |authn: &Authn| match authn {
            Authn::Ignored if without_token => Access::Public,
            Authn::Ignored => Access::NOBODY,
            Authn::Verified { missing, asked } => Access::Token {
                optional: *missing && without_token,
                asked: Asked::all(vec![asked.clone(), filtered(true)]).among(&self.issuers),
            },
        };
        let mut access = Access::Public;
        for (condition, authn) in &self.authn {
            if condition.under_not(reading(false)) == Asked::Nothing {
                continue;
            }
            access = access.and(admitted(authn));
            if condition.under(reading(false)) == Asked::Nothing {
                return access;
            }
        }
        access.and(admitted(&Authn::Ignored))
    }

    /// Smaller ones first.
    fn regions(&self) -> Option<Vec<Region>> {
        let (mut paths, mut hosts, mut methods) =
            (vec![Path::ANY], vec![Host::ANY], vec![Method::ANY]);
        let conditions = self.authn.iter().map(|(condition, _)| condition);
        for formula in conditions.chain(&self.filters) {
            formula.visit(&mut |leaf| match leaf {
                Formula::Path(bounds) => {
                    let sets = [&bounds.inner, &bounds.outer].into_iter().flatten();
                    paths.extend(sets.map(Path::hull));
                }
                Formula::Host(bounds) => {
                    hosts.extend(
                        [&bounds.inner, &bounds.outer]
                            .into_iter()
                            .flatten()
                            .cloned(),
                    );
                }
                Formula::Method(name) => {
                    methods.push(Method::One(name.clone()));
                    // A rule for `GET` would admit `HEAD` too.
                    if name == "GET" {
                        methods.push(Method::One("HEAD".to_owned()));
                    }
                }
                _ => {}
            });
        }
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
}

impl Access {
    pub(super) const NOBODY: Self = Self::Token {
        optional: false,
        asked: Asked::Never,
    };

    /// Who may by both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Public, access) | (access, Self::Public) => access,
            (
                Self::Token { optional, asked },
                Self::Token {
                    optional: too,
                    asked: more,
                },
            ) => Self::Token {
                optional: optional && too,
                asked: Asked::all(vec![asked, more]),
            },
        }
    }
}

/// All that any of them have in common, each once, what covers others last.
fn closed<S: Shape>(shapes: Vec<S>) -> Option<Vec<S>> {
    let mut closed: Vec<S> = Vec::new();
    let mut new = shapes;
    while let Some(shape) = new.pop() {
        if closed.contains(&shape) {
            continue;
        }
        new.extend(closed.iter().filter_map(|other| other.meet(&shape)));
        closed.push(shape);
        if closed.len() > REGIONS {
            return None;
        }
    }
    // As they came, where none covers the other.
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

/// Where nobody may ask for `HEAD`, one rule says so: another for `GET` would
/// admit it.
fn without_head(mut regions: Vec<(Region, Access)>) -> (Option<Rule>, Vec<(Region, Access)>) {
    let is_head = |region: &Region| region.method == Method::One("HEAD".to_owned());
    let mut heads = regions
        .iter()
        .filter(|(region, _)| is_head(region))
        .peekable();
    if heads.peek().is_none() || heads.any(|(_, access)| *access != Access::NOBODY) {
        return (None, regions);
    }
    regions.retain(|(region, _)| !is_head(region));
    let rule = Rule {
        paths: vec![Path::ANY],
        hosts: Vec::new(),
        methods: vec!["HEAD".to_owned()],
        access: Access::NOBODY,
    };
    (Some(rule), regions)
}

/// Leaves out a region of which the next larger one says the same, and the last
/// ones of nobody: what no rule matches is denied.
fn without_repetition(regions: Vec<(Region, Access)>) -> Vec<(Region, Access)> {
    let mut kept: Vec<(Region, Access)> = Vec::new();
    for (region, access) in regions.into_iter().rev() {
        let next = kept.iter().rev().find(|(larger, _)| {
            larger.path.covers(&region.path)
                && larger.host.covers(&region.host)
                && larger.method.covers(&region.method)
        });
        let otherwise = next.map_or(&Access::NOBODY, |(_, access)| access);
        if *otherwise != access {
            kept.push((region, access));
        }
    }
    kept.reverse();
    kept
}

/// Neighbours as one rule: methods of a path, then hosts, then paths.
fn merged(regions: Vec<(Region, Access)>) -> Vec<Rule> {
    let mut blocks: Vec<(Vec<Path>, Vec<Rule>)> = Vec::new();
    for (region, access) in regions {
        let one = Rule {
            paths: Vec::new(),
            hosts: Some(region.host)
                .filter(|host| *host != Host::Any)
                .into_iter()
                .collect(),
            methods: match region.method {
                Method::Any => Vec::new(),
                Method::One(name) => vec![name],
            },
            access,
        };
        match blocks
            .last_mut()
            .filter(|(paths, _)| *paths == [region.path.clone()])
        {
            Some((_, rules)) => match rules.last_mut().filter(|last| last.takes_method_of(&one)) {
                Some(last) => last.methods.extend(one.methods),
                None => rules.push(one),
            },
            None => blocks.push((vec![region.path], vec![one])),
        }
    }
    let mut joined: Vec<(Vec<Path>, Vec<Rule>)> = Vec::new();
    for (paths, rules) in blocks {
        let rules = join_hosts(rules);
        match joined.last_mut().filter(|(_, before)| *before == rules) {
            Some((before, _)) => before.extend(paths),
            None => joined.push((paths, rules)),
        }
    }
    let with_paths = |(paths, rules): (Vec<Path>, Vec<Rule>)| {
        let rule = move |rule| Rule {
            paths: paths.clone(),
            ..rule
        };
        rules.into_iter().map(rule).collect::<Vec<_>>()
    };
    joined.into_iter().flat_map(with_paths).collect()
}

impl Rule {
    fn takes_method_of(&self, other: &Self) -> bool {
        let both_name = !self.methods.is_empty() && !other.methods.is_empty();
        both_name && self.hosts == other.hosts && self.access == other.access
    }
}

fn join_hosts(rules: Vec<Rule>) -> Vec<Rule> {
    let mut joined: Vec<Rule> = Vec::new();
    for rule in rules {
        let last = joined.last_mut().filter(|last| {
            let both_name = !last.hosts.is_empty() && !rule.hosts.is_empty();
            both_name && last.methods == rule.methods && last.access == rule.access
        });
        match last {
            Some(last) => last.hosts.extend(rule.hosts),
            None => joined.push(rule),
        }
    }
    joined
}
