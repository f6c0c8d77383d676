//! Rules that nothing can reach, because the first match wins.

use alloc::vec::Vec;

use crate::{
    base::Set,
    model::{Host, Pattern, Rule, Segment},
};

/// A rule with more combinations of path, host and method is not looked at,
/// and none is once this many are known: this is advice, and it must not cost
/// more than the policy itself.
const COMBINATIONS: usize = 256;
const KNOWN: usize = 200_000;

/// What the rules so far match: pattern, host, method, each as it was written,
/// with the names of segments left out. It sees a path that was written before
/// or that is below an earlier `/**`, not every overlap.
#[derive(Default)]
pub(super) struct Reach {
    matched: Set,
}

impl Reach {
    /// For each path of the rule, whether earlier rules match all of it.
    pub(super) fn add(&mut self, rule: &Rule) -> Vec<bool> {
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
        let covered = rule.paths.iter().map(|path| {
            let prefixes = prefixes(path);
            combinations
                .iter()
                .all(|(host, method)| self.covers(&prefixes, *host, *method))
        });
        let covered = covered.collect();
        for path in &rule.paths {
            for (host, method) in &combinations {
                self.matched.insert(&key(&whole(path), *host, *method));
            }
        }
        covered
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

/// `*.example.com` for `app.example.com`.
fn wildcard_above(host: &Host) -> Option<Host> {
    match host {
        Host::Exact(name) => name
            .split_once('.')
            .map(|(_, parent)| Host::Wildcard(parent.into())),
        Host::Wildcard(_) => None,
    }
}

// No literal segment holds `/` or a control byte, so these tell all else apart.
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

fn push(path: &mut Vec<u8>, segment: &Segment) {
    path.push(b'/');
    match segment {
        Segment::Literal(bytes) => path.extend_from_slice(bytes),
        Segment::Name(_) => path.push(NAME),
    }
}

fn whole(pattern: &Pattern) -> Vec<u8> {
    let mut path = Vec::new();
    pattern
        .segments
        .iter()
        .for_each(|segment| push(&mut path, segment));
    if pattern.rest {
        path.push(REST);
    }
    path
}

/// The pattern itself, and every `/**` that it is below.
fn prefixes(pattern: &Pattern) -> Vec<Vec<u8>> {
    let mut path = Vec::new();
    let mut prefixes = Vec::from([whole(pattern)]);
    let mut add = |path: &Vec<u8>| {
        let mut rest = path.clone();
        rest.push(REST);
        prefixes.push(rest);
    };
    add(&path);
    for segment in &pattern.segments {
        push(&mut path, segment);
        add(&path);
    }
    prefixes
}
