//! Counts what a candidate would do.

use countersign::{Code, MatchedRule};

use crate::{comparison::Comparison, label, metrics::Counter};

/// Maximum number of counters by rule and code. Further ones are counted as
/// `other`.
const COUNTERS: usize = 1_000;

pub(crate) struct Comparisons {
    /// The prefix of their names.
    prefix: String,
    all: [(&'static str, Counter); 5],
    by_rule: Vec<(Key, Counter)>,
    other: Counter,
}

/// The comparison, the index of the rule of the policy in force, and the code of
/// the candidate.
type Key = (&'static str, Option<u32>, Option<Code>);

impl Comparisons {
    pub(crate) fn define(prefix: &str) -> Self {
        let prefix = [prefix, ".shadow"].concat();
        Self {
            all: Comparison::NAMES.map(|name| (name, Counter::define(&prefix, name))),
            by_rule: Vec::new(),
            other: Counter::define(&prefix, "other"),
            prefix,
        }
    }

    pub(crate) fn add(&mut self, comparison: Comparison, rule: Option<&MatchedRule>) {
        let name = comparison.as_str();
        let mut all = self.all.iter_mut();
        if let Some((_, counter)) = all.find(|(known, _)| *known == name) {
            counter.add();
        }
        let code = match comparison {
            Comparison::WouldDeny(code) => Some(code),
            _ => None,
        };
        let key = (name, rule.map(|rule| rule.index), code);
        let place = self.by_rule.iter().position(|(known, _)| *known == key);
        let counter = match place {
            Some(place) => self.by_rule.get_mut(place).map(|(_, counter)| counter),
            None if self.by_rule.len() < COUNTERS => {
                let rule = label::of_metric(rule);
                let parts = [Some(name), Some(&rule), code.map(Code::as_str)];
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join(".");
                self.by_rule
                    .push((key, Counter::define(&self.prefix, &name)));
                self.by_rule.last_mut().map(|(_, counter)| counter)
            }
            None => None,
        };
        counter.unwrap_or(&mut self.other).add();
    }

    pub(crate) fn report(&mut self) {
        let all = self.all.iter_mut().map(|(_, counter)| counter);
        let by_rule = self.by_rule.iter_mut().map(|(_, counter)| counter);
        let counters = all.chain(by_rule).chain([&mut self.other]);
        counters.for_each(Counter::report);
    }
}
