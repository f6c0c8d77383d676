//! What arrives in OpenTelemetry.

mod support;

use std::collections::BTreeMap;

use countersign_host::{DecisionLog, Telemetry};
use opentelemetry::{
    KeyValue,
    metrics::MeterProvider,
    trace::{Tracer, TracerProvider, mark_span_as_active},
};
use opentelemetry_sdk::{
    metrics::{
        InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
        data::{AggregatedMetrics, MetricData},
    },
    trace::{InMemorySpanExporter, SdkTracerProvider},
};
use support::{A, Clock, Issuer, builder, check, eventually, policy};

fn text<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> String {
    let mut all: Vec<_> = attributes
        .map(|one| format!("{}={}", one.key.as_str(), one.value.as_str()))
        .collect();
    all.sort();
    all.join(" ").replace("countersign.", "")
}

/// Each metric's points: attributes and value, or the count of a histogram.
fn points(exporter: &InMemoryMetricExporter) -> BTreeMap<String, Vec<(String, u64)>> {
    let mut points = BTreeMap::new();
    for all in exporter.get_finished_metrics().unwrap() {
        for metric in all.scope_metrics().flat_map(|scope| scope.metrics()) {
            let these = match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    let points = sum.data_points();
                    points
                        .map(|point| (text(point.attributes()), point.value()))
                        .collect()
                }
                AggregatedMetrics::F64(MetricData::Histogram(all)) => {
                    let points = all.data_points();
                    points
                        .map(|point| {
                            // Of seconds, and not of milliseconds.
                            assert_eq!(point.bounds().next(), Some(0.001));
                            (text(point.attributes()), point.count())
                        })
                        .collect()
                }
                other => panic!("{other:?}"),
            };
            let mut these: Vec<_> = these;
            these.sort();
            points.insert(metric.name().to_owned(), these);
        }
    }
    points
}

#[tokio::test]
async fn decisions_comparisons_and_documents_are_counted_and_are_events_of_the_span() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder()
        .with_simple_exporter(spans.clone())
        .build();
    let telemetry = Telemetry::new(meters.meter("test"));
    let log = DecisionLog::builder().call(|_| {});
    telemetry.watch(&log);

    let issuer = Issuer::publishing(&[A]).await;
    let mut in_force = policy(&[issuer.entry("platform")]);
    in_force["rules"][1]["name"] = "things".into();
    let gate = builder(&Clock::new(), &in_force).instances(1);
    let gate = gate.shadow(in_force.to_string()).telemetry(&telemetry);
    let gate = gate.build().await.unwrap();
    eventually("both are ready", async || {
        gate.ready() && gate.status().await.unwrap().shadow.unwrap().ready
    })
    .await;
    let span = tracers.tracer("test").start("request");
    let active = mark_span_as_active(span);
    assert_eq!(check(&gate, &issuer.token(A)).await, "allow");
    assert_eq!(check(&gate, "bad").await, "token_malformed");
    drop(active);

    meters.force_flush().unwrap();
    let points = points(&exporter);
    let allow = "decision=allow issuer=platform mode=enforced remembered=false rule=things";
    let deny = "code=token_malformed decision=deny mode=enforced rule=things";
    let of = |name: &str| {
        let points = points[name].iter();
        points
            .map(|(attributes, count)| (attributes.as_str(), *count))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("countersign.decisions"), [(deny, 1), (allow, 1)]);
    assert_eq!(of("countersign.decision.wait"), [("mode=enforced", 2)]);
    let agree = "comparison=agree rule=things";
    let agree_denied = "code=token_malformed comparison=agree rule=things";
    assert_eq!(
        of("countersign.shadow.comparisons"),
        [(agree_denied, 1), (agree, 1)]
    );
    let accepted = "document.kind=jwks issuer=platform outcome=accepted";
    assert_eq!(of("countersign.documents"), [(accepted, 2)]);
    assert_eq!(of("countersign.log.dropped"), [("", 0)]);

    let spans = spans.get_finished_spans().unwrap();
    let events = spans[0].events.iter();
    let events: Vec<_> = events
        .map(|event| (&*event.name, text(event.attributes.iter())))
        .collect();
    let name = "countersign.decision";
    assert_eq!(events, [(name, allow.to_owned()), (name, deny.to_owned())]);
}

#[tokio::test]
async fn an_attribute_of_the_service_is_in_all_that_is_recorded() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let telemetry = Telemetry::new(meters.meter("test"));
    let edge = telemetry.with(KeyValue::new("countersign.policy", "edge"));

    let issuer = Issuer::publishing(&[A]).await;
    let in_force = policy(&[issuer.entry("platform")]);
    let gate = builder(&Clock::new(), &in_force).shadow(in_force.to_string());
    let gate = gate.telemetry(&edge).build().await.unwrap();
    eventually("both are ready", async || {
        gate.ready() && gate.status().await.unwrap().shadow.unwrap().ready
    })
    .await;
    check(&gate, &issuer.token(A)).await;

    meters.force_flush().unwrap();
    let points = points(&exporter);
    for name in [
        "decisions",
        "decision.wait",
        "shadow.comparisons",
        "documents",
    ] {
        let of = &points[&format!("countersign.{name}")];
        let has = |(attributes, _): &(String, u64)| attributes.contains("policy=edge");
        assert!(of.iter().all(has) && !of.is_empty(), "{name}: {of:?}");
    }
}
