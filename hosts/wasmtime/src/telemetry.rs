//! Events as OpenTelemetry's metrics, and as events of the current span.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, Meter},
    trace::get_active_span,
};

use crate::{
    event::{Comparison, DecisionEvent, DocumentEvent, MatchedRule},
    fetch::Reason,
    log::DecisionLog,
};

/// The buckets of `countersign.decision.wait`, in seconds. Those that OpenTelemetry
/// has by default are for milliseconds: every wait would be in the first, up to five
/// seconds.
const WAIT_S: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The instruments: `countersign.decisions`, `countersign.decision.wait` (seconds),
/// `countersign.shadow.comparisons`, `countersign.documents`, and, with
/// [`Self::watch`], `countersign.log.dropped`. Each decision is also an event
/// `countersign.decision` of the current span. Cheap to clone.
///
/// ```no_run
/// # use countersign_host::{Gate, Telemetry};
/// let gate = Gate::builder().telemetry(&Telemetry::global());
/// ```
#[derive(Clone, Debug)]
pub struct Telemetry {
    meter: Meter,
    decisions: Counter<u64>,
    wait: Histogram<f64>,
    comparisons: Counter<u64>,
    documents: Counter<u64>,
    more: Vec<KeyValue>,
}

impl Telemetry {
    /// With the global meter provider, which must have been set before.
    pub fn global() -> Self {
        Self::new(global::meter("countersign"))
    }

    /// With this meter.
    pub fn new(meter: Meter) -> Self {
        let counter = |name: &'static str| meter.u64_counter(name).build();
        Self {
            decisions: counter("countersign.decisions"),
            wait: meter
                .f64_histogram("countersign.decision.wait")
                .with_unit("s")
                .with_boundaries(WAIT_S.into())
                .build(),
            comparisons: counter("countersign.shadow.comparisons"),
            documents: counter("countersign.documents"),
            more: Vec::new(),
            meter,
        }
    }

    /// Adds this attribute to all that is recorded by this value and its later clones:
    /// the name of a policy, in a service that has several gates.
    #[must_use]
    pub fn with(mut self, attribute: KeyValue) -> Self {
        self.more.push(attribute);
        self
    }

    /// Observes how many events a log has dropped.
    pub fn watch(&self, log: &DecisionLog) {
        let log = log.clone();
        self.meter
            .u64_observable_counter("countersign.log.dropped")
            .with_callback(move |observer| observer.observe(log.dropped(), &[]))
            .build();
    }

    /// Records a decision: [`GateBuilder::telemetry`](crate::GateBuilder::telemetry)
    /// does this with each.
    pub fn decided(&self, event: &DecisionEvent) {
        let rule = event.rule.as_ref().map(MatchedRule::label);
        if let Some(comparison) = event.comparison {
            let mut attributes = compared(event, comparison, rule);
            attributes.extend_from_slice(&self.more);
            self.comparisons.add(1, &attributes);
            return;
        }
        let mut attributes = decided(event, rule);
        attributes.extend_from_slice(&self.more);
        self.decisions.add(1, &attributes);
        let mode = KeyValue::new("countersign.mode", event.mode.as_str());
        let mut of_wait = vec![mode];
        of_wait.extend_from_slice(&self.more);
        self.wait.record(event.waited_ms as f64 / 1000.0, &of_wait);
        get_active_span(|span| span.add_event("countersign.decision", attributes));
    }

    /// Records a document.
    pub fn supplied(&self, event: &DocumentEvent) {
        let mut attributes = vec![
            KeyValue::new("countersign.document.kind", event.kind.as_str()),
            KeyValue::new("countersign.issuer", event.issuer.clone()),
            KeyValue::new("countersign.outcome", event.outcome.as_str()),
        ];
        add(
            &mut attributes,
            "countersign.reason",
            event.reason.map(Reason::as_str),
        );
        attributes.extend_from_slice(&self.more);
        self.documents.add(1, &attributes);
    }
}

fn decided(event: &DecisionEvent, rule: Option<String>) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("countersign.decision", event.decision.as_str()),
        KeyValue::new("countersign.mode", event.mode.as_str()),
    ];
    add(&mut attributes, "countersign.code", event.code.clone());
    add(&mut attributes, "countersign.rule", rule);
    add(&mut attributes, "countersign.issuer", event.issuer.clone());
    add(&mut attributes, "countersign.remembered", event.remembered);
    attributes
}

fn compared(event: &DecisionEvent, comparison: Comparison, rule: Option<String>) -> Vec<KeyValue> {
    let comparison = KeyValue::new("countersign.comparison", comparison.as_str());
    let mut attributes = vec![comparison];
    add(&mut attributes, "countersign.code", event.code.clone());
    add(&mut attributes, "countersign.rule", rule);
    attributes
}

fn add(
    attributes: &mut Vec<KeyValue>,
    name: &'static str,
    value: Option<impl Into<opentelemetry::Value>>,
) {
    attributes.extend(value.map(|value| KeyValue::new(name, value)));
}
