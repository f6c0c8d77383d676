//! What `docs/operators.md` and `docs/events.md` say of codes, metrics and alerts, and
//! the dashboard and the alerts of `deploy/` that use them: by their names, and in a
//! real Prometheus that scrapes a real service.

mod metrics;
mod prometheus;
mod queries;
mod table;

#[path = "../../../../hosts/wasmtime/src/yaml/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod yaml;

use std::collections::BTreeSet;

use countersign::Code;
use metrics::Metrics;
use serde_json::Value;
use table::{rows, words};

const OPERATORS: &str = include_str!("../../../../docs/operators.md");
const EVENTS: &str = include_str!("../../../../docs/events.md");
const DASHBOARD: &str = include_str!("../../../../deploy/grafana/countersign.json");
const ALERTS: &str = include_str!("../../../../deploy/prometheus/countersign.rules.yaml");

#[test]
fn each_code_has_its_row_with_its_status_in_the_order_of_checks() {
    let rows = rows(OPERATORS, "code");
    let found: Vec<_> = rows.iter().map(|row| (&*row[0], &*row[1])).collect();
    let codes = Code::ALL.iter();
    let expected: Vec<_> = codes
        .map(|code| (format!("`{code}`"), code.status().to_string()))
        .collect();
    let expected: Vec<_> = expected.iter().map(|(c, s)| (&**c, &**s)).collect();
    assert_eq!(found, expected);
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn each_metric_has_its_name_in_prometheus_and_each_attribute_its_values() {
    let metrics = Metrics::of(EVENTS);
    assert_eq!(metrics.problems(), Vec::<String>::new());
}

#[test]
fn the_page_lists_the_alerts_with_their_severity() {
    let listed: BTreeSet<_> = rows(OPERATORS, "alert")
        .into_iter()
        .map(|row| (words(&row[0]).concat(), row[1].clone()))
        .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alerts = alerts().into_iter();
    let alerts = alerts.map(|alert| (text(&alert["alert"]), text(&alert["labels"]["severity"])));
    assert_eq!(listed, alerts.collect());
}

#[test]
fn alerts_use_the_metrics_and_attributes_that_there_are() {
    let metrics = Metrics::of(EVENTS);
    let mut wrong = Vec::new();
    for alert in alerts() {
        let summary = alert["annotations"]["summary"].as_str().unwrap();
        let expr = alert["expr"].as_str().unwrap();
        let problems = queries::problems(&metrics, expr, &summary.replace("$labels.", ""));
        wrong.extend(
            problems
                .into_iter()
                .map(|p| format!("{}: {p}", alert["alert"])),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn panels_use_the_metrics_and_attributes_that_there_are() {
    let metrics = Metrics::of(EVENTS);
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables: BTreeSet<_> = variables
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "issuer", "job"].into());
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let panels = dashboard["panels"].as_array().unwrap();
    for (title, expr, legend) in panel_queries("5m") {
        let problems = queries::problems(&metrics, &expr, &legend);
        wrong.extend(problems.into_iter().map(|p| format!("{title}: {p}")));
        used.extend(metrics.used(&expr));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(used, metrics.names(), "a metric is on no panel");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
}

/// The title, the query and the legend of each query of the dashboard, as Grafana
/// fills it in for the choice "All".
fn panel_queries(rate_interval: &str) -> Vec<(String, String, String)> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().unwrap() {
            let expr = target["expr"].as_str().unwrap();
            let expr = expr.replace("$__rate_interval", rate_interval);
            let expr = expr.replace("$issuer", ".*").replace("$job", ".*");
            assert!(!expr.contains('$'), "{title}: {expr}");
            let legend = target["legendFormat"].as_str().unwrap();
            queries.push((title.to_owned(), expr, legend.to_owned()));
        }
    }
    queries
}

/// The rules of all groups.
fn alerts() -> Vec<Value> {
    let yaml = yaml::Yaml::parse(ALERTS).unwrap();
    let file: Value = serde_json::from_str(&yaml.json).unwrap();
    let groups = file["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules.cloned().collect()
}
