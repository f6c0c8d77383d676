//! The metrics. The filter counts requests itself and reports them to Envoy on
//! the tick, so that a request needs no call to the host for metrics.

use countersign::{Code, DocumentStatus, FetchKind};

use crate::host::metric::{self, Kind};

/// The metrics of a plugin, in this worker.
pub(crate) struct Metrics {
    pub(crate) allowed: Counter,
    /// Of those: the token was remembered.
    pub(crate) remembered: Counter,
    /// Answered by the gate itself.
    pub(crate) answered: Counter,
    pub(crate) waited: Counter,
    /// Of those: the waiting room was full.
    pub(crate) room_full: Counter,
    /// Of those: the maximum waiting time ended without the document.
    pub(crate) wait_over: Counter,
    /// Requests that passed before there was a decision, because the filter only
    /// observes.
    pub(crate) undecided: Counter,
    /// By code.
    denied: Vec<(Code, Counter)>,
    keys_age_s: Option<u32>,
    documents_unusable: Option<u32>,
    ready: Option<u32>,
}

/// The fetches of a gate's documents.
pub(crate) struct Fetches {
    pub(crate) ok: Counter,
    /// Of those: key documents without a key.
    pub(crate) empty: Counter,
    pub(crate) failed: Counter,
}

/// A counter with its count since the last report.
pub(crate) struct Counter {
    metric: Option<u32>,
    count: u64,
}

impl Metrics {
    /// Defines the metrics. Their names are stable: dashboards depend on them.
    pub(crate) fn define(prefix: &str, native: bool) -> Self {
        let counter = |name: &str| Counter::define(prefix, name);
        let gauge = |name: &str| define_gauge(prefix, name);
        // A crashed filter cannot report anything, but its replacement counts
        // as started.
        let mut started = counter("started");
        started.add();
        started.report();
        if let Some(verifier) = gauge("signatures_native") {
            metric::set(verifier, native.into());
        }
        Self {
            allowed: counter("allowed"),
            remembered: counter("remembered"),
            answered: counter("answered"),
            waited: counter("waited"),
            room_full: counter("room_full"),
            wait_over: counter("wait_over"),
            undecided: counter("undecided"),
            denied: Code::ALL
                .iter()
                .map(|code| (*code, counter(&["denied.", code.as_str()].concat())))
                .collect(),
            keys_age_s: gauge("keys_age_s"),
            documents_unusable: gauge("documents_unusable"),
            ready: gauge("ready"),
        }
    }

    pub(crate) fn denied(&mut self, code: Code) {
        let counter = self.denied.iter_mut().find(|(known, _)| *known == code);
        if let Some((_, counter)) = counter {
            counter.add();
        }
    }

    /// Reports the counts since the last report to Envoy.
    pub(crate) fn report(&mut self) {
        let denied = self.denied.iter_mut().map(|(_, counter)| counter);
        let others = [
            &mut self.allowed,
            &mut self.remembered,
            &mut self.answered,
            &mut self.waited,
            &mut self.room_full,
            &mut self.wait_over,
            &mut self.undecided,
        ];
        denied.chain(others).for_each(Counter::report);
    }

    /// Reports whether the gate is ready, the age of the oldest key document, and
    /// the number of unusable documents. All workers report the same values.
    pub(crate) fn report_documents(&self, is_ready: bool, documents: &[DocumentStatus]) {
        if let Some(gauge) = self.ready {
            metric::set(gauge, is_ready.into());
        }
        let keys = documents.iter().filter(|d| d.kind == FetchKind::Jwks);
        let oldest = keys.filter_map(|keys| keys.age_ms).max();
        if let (Some(gauge), Some(age_ms)) = (self.keys_age_s, oldest) {
            metric::set(gauge, age_ms / 1000);
        }
        let unusable = documents.iter().filter(|document| !document.usable);
        if let Some(gauge) = self.documents_unusable {
            metric::set(gauge, u64::try_from(unusable.count()).unwrap_or(u64::MAX));
        }
    }
}

/// Defines a gauge.
pub(crate) fn define_gauge(prefix: &str, name: &str) -> Option<u32> {
    metric::define(Kind::Gauge, &[prefix, ".", name].concat())
}

impl Fetches {
    pub(crate) fn define(prefix: &str) -> Self {
        Self {
            ok: Counter::define(prefix, "fetches_ok"),
            empty: Counter::define(prefix, "fetches_empty"),
            failed: Counter::define(prefix, "fetches_failed"),
        }
    }

    pub(crate) fn report(&mut self) {
        let counters = [&mut self.ok, &mut self.empty, &mut self.failed];
        counters.into_iter().for_each(Counter::report);
    }
}

impl Counter {
    pub(crate) fn define(prefix: &str, name: &str) -> Self {
        Self {
            metric: metric::define(Kind::Counter, &[prefix, ".", name].concat()),
            count: 0,
        }
    }

    pub(crate) fn add(&mut self) {
        self.count = self.count.saturating_add(1);
    }

    pub(crate) fn report(&mut self) {
        let count = std::mem::take(&mut self.count);
        if let (Some(metric), 1..) = (self.metric, count) {
            metric::add(metric, count);
        }
    }
}
