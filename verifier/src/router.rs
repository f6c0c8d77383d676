//! From a request to the first rule that matches it: a map of hosts to tries of
//! path segments. A look-up walks the request's own segments, however many
//! rules there are; the rule earliest in the policy wins.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use crate::{
    policy::{Host, Map, Pattern, Rule, Segment},
    target::Target,
};

#[derive(Debug, Default)]
pub(crate) struct Router {
    any_host: Trie,
    exact: Map<Box<str>, Trie>,
    wildcard: Map<Box<str>, Trie>,
}

/// A rule that matches, and the pattern of it that did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Match {
    /// Index into the policy's rules.
    pub(crate) rule: usize,
    /// Index into the rule's paths.
    pub(crate) pattern: usize,
}

impl Router {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut router = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            if rule.hosts.is_empty() {
                router.any_host.insert(index, rule);
            }
            for host in &rule.hosts {
                let tries = match host {
                    Host::Exact(name) => router.exact.entry(name.clone()),
                    Host::Wildcard(parent) => router.wildcard.entry(parent.clone()),
                };
                tries.or_default().insert(index, rule);
            }
        }
        router
    }

    pub(crate) fn find(&self, host: &str, target: &Target<'_>, method: &str) -> Option<Match> {
        let parent = host.split_once('.').filter(|(label, _)| !label.is_empty());
        let tries = [
            Some(&self.any_host),
            self.exact.get(host),
            parent.and_then(|(_, parent)| self.wildcard.get(parent)),
        ];
        let mut search = Search { method, best: None };
        for trie in tries.into_iter().flatten() {
            search.descend(&trie.root, &target.segments);
        }
        search.best
    }
}

#[derive(Debug, Default)]
struct Trie {
    root: Node,
}

#[derive(Debug)]
struct Node {
    literals: Map<Box<[u8]>, Node>,
    name: Option<Box<Node>>,
    /// Patterns that end here.
    ends: Vec<End>,
    /// Patterns that end here in `**`.
    rests: Vec<End>,
    /// The earliest rule here or below.
    first_rule: usize,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            literals: Map::default(),
            name: None,
            ends: Vec::new(),
            rests: Vec::new(),
            first_rule: usize::MAX,
        }
    }
}

#[derive(Debug)]
struct End {
    at: Match,
    /// Empty: any method.
    methods: Vec<Box<str>>,
}

impl Trie {
    fn insert(&mut self, index: usize, rule: &Rule) {
        for (pattern, path) in rule.paths.iter().enumerate() {
            let mut node = &mut self.root;
            node.first_rule = node.first_rule.min(index);
            for segment in &path.segments {
                node = match segment {
                    Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                    Segment::Name(_) => node.name.get_or_insert_default(),
                };
                node.first_rule = node.first_rule.min(index);
            }
            let ends = if path.rest {
                &mut node.rests
            } else {
                &mut node.ends
            };
            // A later rule whose methods are all taken never matches here: so
            // a list is never longer than there are methods.
            let taken = |m: &Box<str>| ends.iter().any(|end| admits(&end.methods, m));
            let hidden = ends.iter().any(|end| end.methods.is_empty())
                || (!rule.methods.is_empty() && rule.methods.iter().all(taken));
            if !hidden {
                let methods = rule.methods.clone();
                ends.push(End {
                    at: Match {
                        rule: index,
                        pattern,
                    },
                    methods,
                });
            }
        }
    }
}

struct Search<'s> {
    method: &'s str,
    best: Option<Match>,
}

impl Search<'_> {
    fn descend(&mut self, node: &Node, segments: &[Cow<'_, [u8]>]) {
        if self.best.is_some_and(|best| best.rule <= node.first_rule) {
            return;
        }
        self.offer(&node.rests);
        match segments.split_first() {
            None => self.offer(&node.ends),
            Some((segment, rest)) => {
                if let Some(node) = node.literals.get(&**segment) {
                    self.descend(node, rest);
                }
                if let Some(node) = &node.name {
                    self.descend(node, rest);
                }
            }
        }
    }

    fn offer(&mut self, ends: &[End]) {
        if let Some(end) = ends.iter().find(|end| admits(&end.methods, self.method)) {
            self.best = Some(self.best.map_or(end.at, |best| best.min(end.at)));
        }
    }
}

/// `GET` covers `HEAD` (RFC 9110 §9.3.2).
fn admits(methods: &[Box<str>], method: &str) -> bool {
    methods.is_empty()
        || methods
            .iter()
            .any(|m| **m == *method || (method == "HEAD" && **m == *"GET"))
}

/// The segment of the request that `{name}` stands for.
pub(crate) fn captured<'t>(
    pattern: &Pattern,
    target: &'t Target<'_>,
    name: &str,
) -> Option<&'t [u8]> {
    let mut pairs = pattern.segments.iter().zip(&target.segments);
    pairs.find_map(|(segment, text)| match segment {
        Segment::Name(n) if **n == *name => Some(&**text),
        _ => None,
    })
}
