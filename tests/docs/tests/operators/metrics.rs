//! The metrics of `docs/events.md`, as Prometheus names them.

use std::collections::{BTreeMap, BTreeSet};

use countersign::Code;

use crate::table::{rows, words};

/// Metrics by their name in Prometheus, and the values of each label.
pub(crate) struct Metrics {
    metrics: BTreeMap<String, Metric>,
    /// Empty where the policy names them.
    values: BTreeMap<String, BTreeSet<String>>,
}

struct Metric {
    name: String,
    kind: String,
    labels: BTreeSet<String>,
}

impl Metrics {
    pub(crate) fn of(page: &str) -> Self {
        let metrics = rows(page, "metric").into_iter().map(|row| {
            let metric = Metric {
                name: words(&row[0]).concat(),
                kind: row[1].clone(),
                labels: words(&row[2])
                    .iter()
                    .map(|name| in_prometheus(name))
                    .collect(),
            };
            (words(&row[3]).concat(), metric)
        });
        let values = rows(page, "attribute").into_iter().map(|row| {
            let label = in_prometheus(&words(&row[0]).concat());
            let values = match &*label {
                "countersign_code" => Code::ALL.iter().map(ToString::to_string).collect(),
                "countersign_rule" | "countersign_issuer" | "countersign_reason" => BTreeSet::new(),
                _ => words(&row[1]).into_iter().collect(),
            };
            (label, values)
        });
        Self {
            metrics: metrics.collect(),
            values: values.collect(),
        }
    }

    /// What is wrong in the tables themselves.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (in_table, metric) in &self.metrics {
            let unit_and_kind = match &*metric.kind {
                "counter" => "_total",
                "histogram, seconds" => "_seconds",
                other => panic!("{other}"),
            };
            if *in_table != in_prometheus(&metric.name) + unit_and_kind {
                wrong.push(in_table.clone());
            }
        }
        let used: BTreeSet<_> = self.metrics.values().flat_map(|m| &m.labels).collect();
        let listed: BTreeSet<_> = self.values.keys().collect();
        wrong.extend(used.symmetric_difference(&listed).map(|l| (*l).clone()));
        wrong
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.metrics.keys().cloned().collect()
    }

    /// The metrics that a query names.
    pub(crate) fn used(&self, query: &str) -> Vec<String> {
        let names = self.metrics.keys().filter(|name| query.contains(&***name));
        names.cloned().collect()
    }

    /// The labels of a series. A histogram has three series, of which one has `le`.
    pub(crate) fn labels(&self, series: &str) -> Option<BTreeSet<String>> {
        let is_of = |(name, metric): &(&String, &Metric)| match &*metric.kind {
            "counter" => **name == series,
            _ => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|part| series.strip_suffix(part) == Some(&***name)),
        };
        let (_, metric) = self.metrics.iter().find(is_of)?;
        let mut labels = metric.labels.clone();
        // Prometheus adds these to every series.
        labels.extend(["job".to_owned(), "instance".to_owned()]);
        if series.ends_with("_bucket") {
            labels.insert("le".to_owned());
        }
        Some(labels)
    }

    /// Whether a label can have a value that a query compares it with: one of its
    /// values, or `.*` and the end of one.
    pub(crate) fn can_be(&self, label: &str, value: &str) -> bool {
        let Some(values) = self.values.get(label).filter(|values| !values.is_empty()) else {
            return true;
        };
        match value.strip_prefix(".*") {
            Some(end) => values.iter().any(|known| known.ends_with(end)),
            None => values.contains(value),
        }
    }
}

fn in_prometheus(name: &str) -> String {
    name.replace('.', "_")
}
