//! Metrics: those of every host (`docs/events.md`), and those of this server.

use std::{fmt, sync::Arc, time::Duration};

use countersign_host::{DecisionLog, Telemetry};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, MeterProvider, UpDownCounter},
};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, SdkMeterProvider, Stream};
use prometheus::{Registry, TextEncoder};

use crate::config::ConfigError;

/// Seconds. A remembered token takes microseconds, a new one tens of them, and a wait for
/// documents seconds.
const SECONDS: [f64; 14] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5,
    2.0, 6.0,
];

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    /// Its end would end the instruments.
    _provider: SdkMeterProvider,
    telemetry: Telemetry,
    questions: Counter<u64>,
    duration: Histogram<f64>,
    connections: UpDownCounter<i64>,
    refused_connections: Counter<u64>,
    reloads: Counter<u64>,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The gate has decided.
    Decided,
    /// It could be read in more than one way.
    Ambiguous,
    /// The peer is no trusted proxy.
    Untrusted,
    /// There were too many at a time.
    Shed,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Ambiguous => "ambiguous",
            Self::Untrusted => "untrusted",
            Self::Shed => "shed",
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let failed = |error: &dyn fmt::Display| {
            ConfigError::of_file("metrics", "metrics_failed", error.to_string())
        };
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .map_err(|error| failed(&error))?;
        let provider = SdkMeterProvider::builder()
            .with_reader(exporter)
            .with_view(in_seconds)
            .build();
        let meter = provider.meter("countersign");
        let counter = |name: &'static str| meter.u64_counter(name).build();
        Ok(Self {
            questions: counter("countersign.server.questions"),
            duration: meter
                .f64_histogram("countersign.server.duration")
                .with_unit("s")
                .build(),
            connections: meter
                .i64_up_down_counter("countersign.server.connections")
                .build(),
            refused_connections: counter("countersign.server.connections.refused"),
            reloads: counter("countersign.server.reloads"),
            telemetry: Telemetry::new(meter.clone()),
            registry,
            _provider: provider,
        })
    }

    /// The instruments of every host, for the gate of this policy.
    pub(crate) fn telemetry(&self, policy: &Arc<str>) -> Telemetry {
        let policy = KeyValue::new("countersign.policy", policy.clone());
        self.telemetry.clone().with(policy)
    }

    /// Counts what the log drops.
    pub(crate) fn watch(&self, log: &DecisionLog) {
        self.telemetry.watch(log);
    }

    pub(crate) fn answered(
        &self,
        dialect: &'static str,
        policy: &Arc<str>,
        outcome: Outcome,
        took: Duration,
    ) {
        let dialect = KeyValue::new("countersign.dialect", dialect);
        let attributes = [
            dialect.clone(),
            KeyValue::new("countersign.policy", policy.clone()),
            KeyValue::new("countersign.outcome", outcome.as_str()),
        ];
        self.questions.add(1, &attributes);
        self.duration.record(took.as_secs_f64(), &[dialect]);
    }

    pub(crate) fn connected(&self, change: i64) {
        self.connections.add(change, &[]);
    }

    /// `reason`: `limit`, `tls`.
    pub(crate) fn refused_connection(&self, reason: &'static str) {
        let reason = KeyValue::new("countersign.reason", reason);
        self.refused_connections.add(1, &[reason]);
    }

    pub(crate) fn reloaded(&self, policy: &str, outcome: &'static str) {
        let attributes = [
            KeyValue::new("countersign.policy", policy.to_owned()),
            KeyValue::new("countersign.outcome", outcome),
        ];
        self.reloads.add(1, &attributes);
    }

    /// In Prometheus' text format.
    pub(crate) fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// The SDK's own boundaries are those of milliseconds.
fn in_seconds(instrument: &Instrument) -> Option<Stream> {
    if instrument.unit() != "s" {
        return None;
    }
    let aggregation = Aggregation::ExplicitBucketHistogram {
        boundaries: SECONDS.to_vec(),
        record_min_max: false,
    };
    Stream::builder().with_aggregation(aggregation).build().ok()
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
