//! PromQL, read by a parser of its own.

use std::collections::BTreeSet;

use promql_parser::{
    label::MatchOp,
    parser::{self, Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};

use crate::metrics::Metrics;

/// Every metric, label and value in a query, and every label in the text beside it
/// (`{{ label }}`), that there is not.
pub(crate) fn problems(metrics: &Metrics, query: &str, text: &str) -> Vec<String> {
    let expr = match parser::parse(query) {
        Ok(expr) => expr,
        Err(error) => return vec![format!("{error}: {query}")],
    };
    let mut check = Check {
        metrics,
        labels: BTreeSet::new(),
        grouped: BTreeSet::new(),
        wrong: Vec::new(),
    };
    let Ok(_) = walk_expr(&mut check, &expr);
    let Check {
        labels,
        grouped,
        mut wrong,
        ..
    } = check;
    wrong.extend(grouped.difference(&labels).cloned());
    let shown = text.split("{{").skip(1);
    let shown = shown.filter_map(|rest| Some(rest.split_once("}}")?.0.trim().to_owned()));
    wrong.extend(shown.filter(|label| !grouped.contains(label)));
    wrong
}

struct Check<'m> {
    metrics: &'m Metrics,
    /// Those of the metrics in the query.
    labels: BTreeSet<String>,
    /// Those in `by`.
    grouped: BTreeSet<String>,
    wrong: Vec<String>,
}

impl ExprVisitor for Check<'_> {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.select(selector),
            Expr::MatrixSelector(range) => self.select(&range.vs),
            Expr::Aggregate(aggregate) => {
                let by = aggregate.modifier.iter();
                self.grouped
                    .extend(by.flat_map(|by| by.labels().labels.clone()));
            }
            _ => {}
        }
        Ok(true)
    }
}

impl Check<'_> {
    fn select(&mut self, selector: &VectorSelector) {
        let series = selector.name.as_deref().unwrap_or_default();
        let Some(labels) = self.metrics.labels(series) else {
            return self.wrong.push(series.to_owned());
        };
        for matcher in &selector.matchers.matchers {
            let (label, value) = (&matcher.name, &*matcher.value);
            let values = match matcher.op {
                MatchOp::Equal | MatchOp::NotEqual => vec![value],
                MatchOp::Re(_) | MatchOp::NotRe(_) => value.split('|').collect(),
            };
            let is_known = labels.contains(label)
                && values.iter().all(|value| self.metrics.can_be(label, value));
            if !is_known {
                self.wrong.push(format!("{series} {label} {value}"));
            }
        }
        self.labels.extend(labels);
    }
}

#[test]
fn what_there_is_not_is_found() {
    let metrics = Metrics::of(crate::EVENTS);
    for (query, text) in [
        ("sum(rate(countersign_decision_total[5m]))", ""),
        ("rate(countersign_decision_wait_seconds[5m])", ""),
        (
            "countersign_decisions_total{countersign_outcome=\"failed\"}",
            "",
        ),
        (
            "countersign_decisions_total{countersign_code=\"tokn_missing\"}",
            "",
        ),
        (
            "countersign_decisions_total{countersign_mode=~\"enforced|observe\"}",
            "",
        ),
        (
            "sum by (countersign_subject) (countersign_decisions_total)",
            "",
        ),
        (
            "sum by (job) (countersign_decisions_total)",
            "{{ instance }}",
        ),
        ("sum(countersign_decisions_total", ""),
    ] {
        assert_eq!(problems(&metrics, query, text).len(), 1, "{query}");
    }
}
