//! Finds the first rule of the policy that matches a request. It uses a map
//! from hosts to tries of path segments, so the cost of a look-up depends on
//! the segments of the request and not on the number of rules.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use countersign_kernel::bytes;

use super::{
    case,
    target::{Segments, Target},
};
use crate::{
    base::Map,
    model::{Host, Pattern, Rule, Segment},
    refusal::Code,
};

/// Finds rules. Backends interpret a path in different ways. The router finds
/// the rule by one interpretation and refuses a request for which another one
/// leads to a different rule.
#[derive(Debug)]
pub(crate) struct Router {
    exact: Table,
    /// The case-folded rules: present if a rule contains upper-case letters and
    /// backends can be case-insensitive.
    folded: Option<Table>,
    exact_case: bool,
}

/// The rule and the pattern of it that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Match {
    /// Index into the policy's rules.
    pub(crate) rule: usize,
    /// Index into the rule's paths.
    pub(crate) pattern: usize,
}

impl Router {
    /// `exact_case` means that all backends compare paths case-sensitively.
    pub(crate) fn new(rules: &[Rule], exact_case: bool) -> Self {
        let literals = rules.iter().flat_map(|rule| &rule.paths);
        let mut literals = literals.flat_map(|path| &path.segments);
        let has_case = literals.any(|segment| match segment {
            Segment::Literal(text) => matches!(case::fold(text), Cow::Owned(_)),
            Segment::Name(_) => false,
        });
        let folded = has_case && !exact_case;
        Self {
            exact: Table::new(rules, |text| Cow::Borrowed(text)),
            folded: folded.then(|| Table::new(rules, case::fold)),
            exact_case,
        }
    }

    /// Finds the rule for a request.
    ///
    /// # Errors
    /// [`Code::RequestAmbiguous`] if another interpretation of the path leads
    /// to a different rule.
    pub(crate) fn find(
        &self,
        host: &[u8],
        target: &Target<'_>,
        method: &[u8],
    ) -> Result<Option<Match>, Code> {
        let find = |table: &Table, segments: &[_]| table.find(host, segments, method);
        let found = find(&self.exact, &target.segments);
        let differs = |other: Option<Match>| other.is_some() && other != found;

        let with_slash = target.trailing_slash.then(|| {
            let end = Cow::Borrowed(&b""[..]);
            target
                .segments
                .iter()
                .cloned()
                .chain([end])
                .collect::<Segments<'_>>()
        });
        let as_sent = target.as_sent.as_deref();
        // "No rule" is also a different result here: a backend router that does
        // not decode sends such a path to its catch-all route.
        let is_elsewhere = |segments| find(&self.exact, segments) != found;
        if with_slash
            .as_deref()
            .is_some_and(|segments| differs(find(&self.exact, segments)))
            || target
                .at_slashes
                .iter()
                .any(|segments| differs(find(&self.exact, segments)))
            || as_sent.is_some_and(is_elsewhere)
        {
            return Err(Code::RequestAmbiguous);
        }
        if self.exact_case || (self.folded.is_none() && target.is_folded) {
            return Ok(found);
        }
        let table = self.folded.as_ref().unwrap_or(&self.exact);
        let differs_folded = |segments: &[Cow<'_, [u8]>]| {
            let is_folded =
                |segment: &Cow<'_, [u8]>| matches!(case::fold(segment), Cow::Borrowed(_));
            if self.folded.is_none() && segments.iter().all(is_folded) {
                return false;
            }
            let segments: Segments<'_> = segments.iter().map(|s| case::fold(s)).collect();
            differs(table.find(host, &segments, method))
        };
        if differs_folded(&target.segments)
            || with_slash.as_deref().is_some_and(differs_folded)
            || as_sent.is_some_and(differs_folded)
            || target.at_slashes.iter().any(|s| differs_folded(s))
        {
            return Err(Code::RequestAmbiguous);
        }
        Ok(found)
    }
}

/// The rules, indexed by host, path and method.
#[derive(Debug, Default)]
struct Table {
    any_host: Trie,
    exact: Map<Trie>,
    wildcard: Map<Trie>,
}

impl Table {
    /// `normalise` normalises a literal segment for comparison.
    fn new(rules: &[Rule], normalise: fn(&[u8]) -> Cow<'_, [u8]>) -> Self {
        let mut router = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            if rule.hosts.is_empty() {
                router.any_host.insert(index, rule, normalise);
            }
            for host in &rule.hosts {
                let (tries, name) = match host {
                    Host::Exact(name) => (&mut router.exact, name),
                    Host::Wildcard(parent) => (&mut router.wildcard, parent),
                };
                if let Some(trie) = tries.get_or_default(name.as_bytes()) {
                    trie.insert(index, rule, normalise);
                }
            }
        }
        router
    }

    fn find(&self, host: &[u8], segments: &[Cow<'_, [u8]>], method: &[u8]) -> Option<Match> {
        let dot = bytes::position(host, b'.').filter(|dot| *dot > 0);
        let parent = dot.and_then(|dot| host.get(dot.saturating_add(1)..));
        let tries = [
            Some(&self.any_host),
            self.exact.get(host),
            parent.and_then(|parent| self.wildcard.get(parent)),
        ];
        let mut search = Search { method, best: None };
        for trie in tries.into_iter().flatten() {
            search.descend(&trie.root, segments);
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
    literals: Map<Node>,
    name: Option<Box<Node>>,
    /// Patterns that end at this node.
    ends: Vec<End>,
    /// Patterns that end in `**` at this node.
    rests: Vec<End>,
    /// The first rule at this node or below.
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
    /// If empty, any method matches.
    methods: Vec<Box<str>>,
}

impl Trie {
    fn insert(&mut self, index: usize, rule: &Rule, normalise: fn(&[u8]) -> Cow<'_, [u8]>) {
        for (pattern, path) in rule.paths.iter().enumerate() {
            let mut node = &mut self.root;
            node.first_rule = node.first_rule.min(index);
            for segment in &path.segments {
                let next = match segment {
                    Segment::Literal(text) => node.literals.get_or_default(&normalise(text)),
                    Segment::Name(_) => Some(&mut **node.name.get_or_insert_default()),
                };
                let Some(next) = next else { return };
                node = next;
                node.first_rule = node.first_rule.min(index);
            }
            let ends = if path.rest {
                &mut node.rests
            } else {
                &mut node.ends
            };
            // A later rule whose methods all belong to earlier rules never
            // matches here. Without such rules, the list is at most as long as
            // the number of methods.
            let taken = |m: &str| ends.iter().any(|end| admits(&end.methods, m.as_bytes()));
            let hidden = ends.iter().any(|end| end.methods.is_empty())
                || (!rule.methods.is_empty() && rule.methods.iter().all(|m| taken(m)));
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
    method: &'s [u8],
    best: Option<Match>,
}

impl Search<'_> {
    fn descend(&mut self, node: &Node, segments: &[Cow<'_, [u8]>]) {
        if self.best.is_some_and(|best| best.rule < node.first_rule) {
            return;
        }
        self.consider(&node.rests);
        match segments.split_first() {
            None => self.consider(&node.ends),
            Some((segment, rest)) => {
                if let Some(node) = node.literals.get(segment) {
                    self.descend(node, rest);
                }
                if let Some(node) = &node.name
                    && !segment.is_empty()
                {
                    self.descend(node, rest);
                }
            }
        }
    }

    fn consider(&mut self, ends: &[End]) {
        if let Some(end) = ends.iter().find(|end| admits(&end.methods, self.method)) {
            self.best = Some(self.best.map_or(end.at, |best| best.min(end.at)));
        }
    }
}

/// Returns whether a list of methods contains a method. `GET` covers `HEAD`
/// (RFC 9110 §9.3.2).
fn admits(methods: &[Box<str>], method: &[u8]) -> bool {
    methods.is_empty()
        || methods
            .iter()
            .any(|m| *m.as_bytes() == *method || (method == b"HEAD" && **m == *"GET"))
}

/// Returns the segment of the request that `{name}` captures.
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

#[cfg(test)]
mod tests;
