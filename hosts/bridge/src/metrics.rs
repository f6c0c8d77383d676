//! What an operator counts, in Prometheus' text: `countersign_bridge_…`.

use std::fmt;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use serde_json::Value;

use crate::config::ConfigError;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    /// Its end would end the instruments.
    _provider: SdkMeterProvider,
    tokens: Counter<u64>,
    events: Counter<u64>,
    logins: Counter<u64>,
    revocations: Counter<u64>,
    refusals: Counter<u64>,
    ready: Gauge<i64>,
    keys: Gauge<i64>,
    key_age: Gauge<i64>,
    revoked: Gauge<i64>,
    revoked_bytes: Gauge<i64>,
    api_keys: Gauge<i64>,
    providers: Gauge<i64>,
}

/// What is so now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    pub(crate) is_ready: bool,
    pub(crate) keys: usize,
    pub(crate) key_age_s: Option<i64>,
    /// Entries of the document, and bytes at most.
    pub(crate) revoked: (i64, i64),
    pub(crate) api_keys: Option<i64>,
    /// Providers of organisations that are open.
    pub(crate) providers: Option<usize>,
}

impl Metrics {
    /// With nothing counted.
    ///
    /// # Errors
    /// The registry does not take it.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .map_err(|error| {
                ConfigError::of_file("metrics", "metrics_failed", error.to_string())
            })?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("countersign");
        let counter =
            |name: &'static str, about| meter.u64_counter(name).with_description(about).build();
        let gauge =
            |name: &'static str, about| meter.i64_gauge(name).with_description(about).build();
        Ok(Self {
            tokens: counter("countersign.bridge.tokens.issued", "Tokens by class."),
            events: counter(
                "countersign.bridge.events",
                "Entries of the audit by event and outcome.",
            ),
            logins: counter("countersign.bridge.logins", "Logins by outcome."),
            revocations: counter(
                "countersign.bridge.revocations",
                "What was revoked, by kind.",
            ),
            refusals: counter("countersign.bridge.refusals", "Refused requests by code."),
            ready: gauge("countersign.bridge.ready", "Whether it is ready: 0 or 1."),
            keys: gauge(
                "countersign.bridge.signing_keys",
                "Signing keys that are published.",
            ),
            key_age: gauge(
                "countersign.bridge.signing_key.age.seconds",
                "Since when the key signs that signs now.",
            ),
            revoked: gauge(
                "countersign.bridge.revoked.entries",
                "Entries of the document of revocations; gates read 500000.",
            ),
            revoked_bytes: gauge(
                "countersign.bridge.revoked.bytes",
                "Bytes of that document, at most; gates read 33554432.",
            ),
            api_keys: gauge(
                "countersign.bridge.api_keys",
                "API keys that are good; gates read 200000.",
            ),
            providers: gauge(
                "countersign.bridge.providers.opened",
                "Providers of organisations that are open; 256 at most.",
            ),
            registry,
            _provider: provider,
        })
    }

    /// Counts an entry of the audit. `outcome` is a code or `done`.
    pub(crate) fn recorded(
        &self,
        event: &'static str,
        outcome: &'static str,
        class: Option<&Value>,
    ) {
        let outcome_of = KeyValue::new("outcome", outcome);
        self.events
            .add(1, &[KeyValue::new("event", event), outcome_of.clone()]);
        match event.rsplit_once('.') {
            Some(("token", "issued")) => {
                let class = class.and_then(Value::as_str).unwrap_or("unknown");
                self.tokens
                    .add(1, &[KeyValue::new("class", class.to_owned())]);
            }
            Some((kind, "revoked")) => {
                self.revocations
                    .add(1, &[KeyValue::new("kind", kind), outcome_of]);
            }
            Some(("session", "begun")) | Some(("login", _)) => self.logins.add(1, &[outcome_of]),
            _ => {}
        }
    }

    /// Counts a request that was refused with this code.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.add(1, &[KeyValue::new("code", code)]);
    }

    /// In Prometheus' text format.
    pub(crate) fn text(&self, now: &Now) -> Result<String, prometheus::Error> {
        self.ready.record(now.is_ready.into(), &[]);
        self.keys
            .record(i64::try_from(now.keys).unwrap_or(i64::MAX), &[]);
        if let Some(age_s) = now.key_age_s {
            self.key_age.record(age_s, &[]);
        }
        let (entries, bytes) = now.revoked;
        self.revoked.record(entries, &[]);
        self.revoked_bytes.record(bytes, &[]);
        if let Some(keys) = now.api_keys {
            self.api_keys.record(keys, &[]);
        }
        if let Some(opened) = now.providers {
            let opened = i64::try_from(opened).unwrap_or(i64::MAX);
            self.providers.record(opened, &[]);
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
