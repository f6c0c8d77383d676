//! Finds unreachable rules: earlier rules match all their requests.

use alloc::vec::Vec;

use crate::{
    base::Set,
    model::{Host, Pattern, Rule, Segment},
};

/// The analysis ignores a rule with more combinations of path, host and method
/// than this, and it stops after `KNOWN` combinations. Its results are only
/// warnings, so it must not cost more than the policy itself.
const COMBINATIONS: usize = 256;
const KNOWN: usize = 200_000;

/// The combinations of pattern, host and method that earlier rules match,
/// without the names of segments. It finds a path that is equal to an earlier
/// path or below an earlier `/**`. It does not find every overlap.
#[derive(Default)]
pub(super) struct Reach {
    matched: Set,
}

impl Reach {
    /// Returns for each path of the rule whether earlier rules match all its
    /// requests, and adds the rule.
    pub(super) fn add(&mut self, rule: &Rule) -> Vec<bool> {
        let combinations = self.combinations(rule);
        let covered = self.covered(rule, &combinations, prefixes);
        for path in &rule.paths {
            for (host, method) in &combinations {
                self.matched
                    .insert(&key(&pattern_key(path), *host, *method));
            }
        }
        covered
    }

    /// Returns whether the rule keeps `%2f` in vain: the rules so far match all
    /// its requests with one, split there, by another pattern.
    pub(super) fn splits(&self, rule: &Rule) -> bool {
        let combinations = self.combinations(rule);
        let splits = self.covered(rule, &combinations, above_slash);
        rule.keeps_slash && splits.contains(&true)
    }

    /// Returns each host with each method of a rule; none if there are too many.
    fn combinations<'r>(&self, rule: &'r Rule) -> Vec<(Option<&'r Host>, Option<&'r str>)> {
        let hosts: Vec<Option<&Host>> = some_or_any(rule.hosts.iter());
        let methods: Vec<Option<&str>> = some_or_any(rule.methods.iter().map(|method| &**method));
        let combinations = hosts.len().saturating_mul(methods.len());
        if combinations.saturating_mul(rule.paths.len()) > COMBINATIONS
            || self.matched.len() > KNOWN
        {
            return Vec::new();
        }
        let mut combinations = Vec::with_capacity(combinations);
        for host in hosts {
            combinations.extend(methods.iter().map(|method| (host, *method)));
        }
        combinations
    }

    fn covered(
        &self,
        rule: &Rule,
        combinations: &[(Option<&Host>, Option<&str>)],
        above: fn(&Pattern) -> Vec<Vec<u8>>,
    ) -> Vec<bool> {
        let covered = rule.paths.iter().map(|path| {
            let above = above(path);
            let mut combinations = combinations.iter();
            combinations.len() > 0
                && combinations.all(|(host, method)| self.covers(&above, *host, *method))
        });
        covered.collect()
    }

    fn covers(&self, paths: &[Vec<u8>], host: Option<&Host>, method: Option<&str>) -> bool {
        let above = host.and_then(wildcard_above);
        let hosts = [None, host, above.as_ref()];
        // `GET` covers `HEAD`.
        let methods = [None, method, method.filter(|m| *m == "HEAD").map(|_| "GET")];
        let matched = |path: &Vec<u8>, host| {
            methods
                .iter()
                .any(|method| self.matched.contains(&key(path, host, *method)))
        };
        paths
            .iter()
            .any(|path| hosts.iter().any(|host| matched(path, *host)))
    }
}

fn some_or_any<T>(values: impl ExactSizeIterator<Item = T>) -> Vec<Option<T>> {
    if values.len() == 0 {
        Vec::from([None])
    } else {
        values.map(Some).collect()
    }
}

/// Returns the wildcard that covers a host: `*.example.com` for
/// `app.example.com`.
fn wildcard_above(host: &Host) -> Option<Host> {
    match host {
        Host::Exact(name) => name
            .split_once('.')
            .map(|(_, parent)| Host::Wildcard(parent.into())),
        Host::Wildcard(_) => None,
    }
}

// Separators in a key. No literal segment contains `/` or a control byte, so
// different combinations have different keys.
const NAME: u8 = 0;
const REST: u8 = 1;
const HOST: u8 = 2;
const BELOW: u8 = 3;
const METHOD: u8 = 4;

fn key(path: &[u8], host: Option<&Host>, method: Option<&str>) -> Vec<u8> {
    let mut key = path.to_vec();
    match host {
        None => {}
        Some(Host::Exact(name)) => {
            key.push(HOST);
            key.extend_from_slice(name.as_bytes());
        }
        Some(Host::Wildcard(parent)) => {
            key.push(BELOW);
            key.extend_from_slice(parent.as_bytes());
        }
    }
    if let Some(method) = method {
        key.push(METHOD);
        key.extend_from_slice(method.as_bytes());
    }
    key
}

fn push_segment(path: &mut Vec<u8>, segment: &Segment) {
    path.push(b'/');
    match segment {
        Segment::Literal(bytes) => path.extend_from_slice(bytes),
        Segment::Name(_) => path.push(NAME),
    }
}

fn pattern_key(pattern: &Pattern) -> Vec<u8> {
    let mut path = Vec::new();
    pattern
        .segments
        .iter()
        .for_each(|segment| push_segment(&mut path, segment));
    if pattern.rest {
        path.push(REST);
    }
    path
}

/// Returns the pattern itself and every `/**` above it.
fn prefixes(pattern: &Pattern) -> Vec<Vec<u8>> {
    let mut prefixes = above(&pattern.segments);
    prefixes.push(pattern_key(pattern));
    prefixes
}

/// Returns every `/**` that matches a path of the pattern if a `%2f` in its
/// first `{name}` or behind it counts as a slash. None if the pattern itself
/// does.
fn above_slash(pattern: &Pattern) -> Vec<Vec<u8>> {
    let is_name = |segment: &Segment| matches!(segment, Segment::Name(_));
    let name = pattern.segments.iter().position(is_name);
    let segments = name.and_then(|name| pattern.segments.get(..=name));
    match segments.filter(|_| !pattern.rest) {
        Some(segments) => above(segments),
        None => Vec::new(),
    }
}

/// Returns every `/**` that begins with the first of these segments.
fn above(segments: &[Segment]) -> Vec<Vec<u8>> {
    let mut path = Vec::new();
    let mut above = Vec::from([Vec::from([REST])]);
    for segment in segments {
        push_segment(&mut path, segment);
        let mut rest = path.clone();
        rest.push(REST);
        above.push(rest);
    }
    above
}
