//! From a request to the first rule that matches it: a map of hosts to tries of
//! path segments. A look-up walks the request's own segments, however many
//! rules there are; the rule earliest in the policy wins.

use alloc::{borrow::Cow, boxed::Box, vec::Vec};

use super::{
    case,
    target::{Segments, Target},
};
use crate::{
    base::Map,
    model::{Host, Pattern, Rule, Segment},
    refusal::Code,
};

/// Every backend reads a path in its own way. The rule is found by one reading;
/// the others must not lead to another.
#[derive(Debug)]
pub(crate) struct Router {
    exact: Table,
    /// Without letters' case, where a rule has any and backends may not tell it
    /// apart.
    folded: Option<Table>,
    exact_case: bool,
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
    /// With `path_case` exact the backends tell letters' case apart.
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

    /// The rule that judges a request.
    ///
    /// # Errors
    /// [`Code::RequestAmbiguous`] where a backend that reads the path in another
    /// way would be at another rule.
    pub(crate) fn find(
        &self,
        host: &str,
        target: &Target<'_>,
        method: &str,
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
        // Where a rule is meant, to be at none is another answer too: behind a
        // router that does not decode it is its catch-all's.
        let is_elsewhere = |segments| find(&self.exact, segments) != found;
        if with_slash
            .as_deref()
            .is_some_and(|segments| differs(find(&self.exact, segments)))
            || as_sent.is_some_and(is_elsewhere)
        {
            return Err(Code::RequestAmbiguous);
        }
        if self.exact_case {
            return Ok(found);
        }
        let table = self.folded.as_ref().unwrap_or(&self.exact);
        for segments in [Some(&*target.segments), with_slash.as_deref(), as_sent]
            .into_iter()
            .flatten()
        {
            let is_folded =
                |segment: &Cow<'_, [u8]>| matches!(case::fold(segment), Cow::Borrowed(_));
            if self.folded.is_none() && segments.iter().all(is_folded) {
                continue;
            }
            let segments: Segments<'_> = segments.iter().map(|s| case::fold(s)).collect();
            if differs(find(table, &segments)) {
                return Err(Code::RequestAmbiguous);
            }
        }
        Ok(found)
    }
}

/// The rules by host, path and method.
#[derive(Debug, Default)]
struct Table {
    any_host: Trie,
    exact: Map<Trie>,
    wildcard: Map<Trie>,
}

impl Table {
    /// `read` says how a literal segment is compared.
    fn new(rules: &[Rule], read: fn(&[u8]) -> Cow<'_, [u8]>) -> Self {
        let mut router = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            if rule.hosts.is_empty() {
                router.any_host.insert(index, rule, read);
            }
            for host in &rule.hosts {
                let (tries, name) = match host {
                    Host::Exact(name) => (&mut router.exact, name),
                    Host::Wildcard(parent) => (&mut router.wildcard, parent),
                };
                if let Some(trie) = tries.get_or_default(name.as_bytes()) {
                    trie.insert(index, rule, read);
                }
            }
        }
        router
    }

    fn find(&self, host: &str, segments: &[Cow<'_, [u8]>], method: &str) -> Option<Match> {
        let parent = host.split_once('.').filter(|(label, _)| !label.is_empty());
        let tries = [
            Some(&self.any_host),
            self.exact.get(host.as_bytes()),
            parent.and_then(|(_, parent)| self.wildcard.get(parent.as_bytes())),
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
    fn insert(&mut self, index: usize, rule: &Rule, read: fn(&[u8]) -> Cow<'_, [u8]>) {
        for (pattern, path) in rule.paths.iter().enumerate() {
            let mut node = &mut self.root;
            node.first_rule = node.first_rule.min(index);
            for segment in &path.segments {
                let next = match segment {
                    Segment::Literal(text) => node.literals.get_or_default(&read(text)),
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
            // A later rule whose methods are all taken never matches here: so
            // a list is never longer than there are methods.
            let taken = |m: &str| ends.iter().any(|end| admits(&end.methods, m));
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
    method: &'s str,
    best: Option<Match>,
}

impl Search<'_> {
    fn descend(&mut self, node: &Node, segments: &[Cow<'_, [u8]>]) {
        if self.best.is_some_and(|best| best.rule < node.first_rule) {
            return;
        }
        self.offer(&node.rests);
        match segments.split_first() {
            None => self.offer(&node.ends),
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

#[cfg(test)]
mod tests;
