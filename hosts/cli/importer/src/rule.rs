//! Regions of requests as rules, of which the first that matches decides.

use countersign_regions::{Host, Method, Path, Region, Shape};

use crate::access::Access;

/// Regions with the same access, as a rule of a policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) paths: Vec<Path>,
    /// Empty: any.
    pub(crate) hosts: Vec<Host>,
    /// Empty: any.
    pub(crate) methods: Vec<String>,
    pub(crate) access: Access,
}

/// The rules for these regions, of which smaller ones come first.
pub(crate) fn rules(regions: Vec<(Region, Access)>) -> Vec<Rule> {
    let (head, others) = without_head(regions);
    let mut rules = merged(without_repetition(others));
    // Without another rule everything is denied already.
    if !rules.is_empty() {
        rules.splice(0..0, head);
    }
    rules
}

/// Where `HEAD` is denied everywhere, one rule denies it: without that rule a
/// rule for `GET` would allow it.
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

/// Leaves out a region with the same access as the next larger one, and regions at
/// the end that deny: what no rule matches is denied.
fn without_repetition(regions: Vec<(Region, Access)>) -> Vec<(Region, Access)> {
    let mut kept: Vec<(Region, Access)> = Vec::new();
    for (region, access) in regions.into_iter().rev() {
        let next = kept.iter().rev().find(|(larger, _)| {
            larger.path.covers(&region.path)
                && larger.host.covers(&region.host)
                && larger.method.covers(&region.method)
        });
        let is_same = match next {
            Some((_, otherwise)) => *otherwise == access,
            None => access == Access::NOBODY,
        };
        if !is_same {
            kept.push((region, access));
        }
    }
    kept.reverse();
    kept
}

/// Merges neighbours into one rule: methods of a path, then hosts, then paths.
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
