//! A gate and its documents, which this worker keeps fresh.

use countersign::{Fetch, Gate};

use crate::{
    config::Settings,
    document::Document,
    documents::{Documents, Parts},
    jitter::Jitter,
    metrics::Fetches,
};

pub(crate) struct Kept {
    pub(crate) gate: Gate,
    documents: Documents,
    fetches: Fetches,
    /// When to call [`Gate::due`], in uptime.
    due_at: Option<u64>,
    /// The first part of the keys of its documents in the shared data.
    scope: &'static str,
}

impl Kept {
    /// It fetches documents from the first tick on.
    pub(crate) fn new(
        gate: Gate,
        settings: &Settings,
        fetches: Fetches,
        scope: &'static str,
    ) -> Self {
        for fetch in gate.documents() {
            Document::prepare(&fetch, settings, scope);
        }
        Self {
            gate,
            documents: Documents::default(),
            fetches,
            due_at: Some(0),
            scope,
        }
    }

    /// Does the work of one callback. Returns the sources with a new result.
    pub(crate) fn tick(
        &mut self,
        settings: &Settings,
        jitter: &mut Jitter,
        uptime_ms: u64,
        now_ms: u64,
    ) -> Vec<u32> {
        let is_due = self.due_at.is_some_and(|due| due <= uptime_ms);
        let (documents, mut parts) = self.parts(settings);
        let asked = documents.work(&mut parts, is_due, now_ms);
        let updated = self.documents.take_updated();
        if asked || !updated.is_empty() {
            self.schedule(jitter, uptime_ms, now_ms);
        }
        updated
    }

    /// Handles the end of a fetch, if it is one of these documents.
    pub(crate) fn fetched(
        &mut self,
        settings: &Settings,
        call: u32,
        body_size: Option<usize>,
        now_ms: u64,
    ) {
        let (documents, mut parts) = self.parts(settings);
        documents.fetched(&mut parts, call, body_size, now_ms);
    }

    /// Gets a document that a request needs. Returns whether there is a new
    /// result already.
    pub(crate) fn want(&mut self, settings: &Settings, fetch: Fetch, now_ms: u64) -> bool {
        let (documents, mut parts) = self.parts(settings);
        documents.want(&mut parts, fetch, now_ms)
    }

    pub(crate) fn schedule(&mut self, jitter: &mut Jitter, uptime_ms: u64, now_ms: u64) {
        let next = self.gate.next_due(now_ms);
        self.due_at = next.map(|pause_ms| {
            let pause_ms = pause_ms.saturating_add(jitter.of(pause_ms));
            uptime_ms.saturating_add(pause_ms)
        });
    }

    pub(crate) fn has_work(&self) -> bool {
        self.documents.has_work()
    }

    pub(crate) fn awaits_others(&self) -> bool {
        self.documents.awaits_others()
    }

    pub(crate) fn report(&mut self) {
        self.fetches.report();
    }

    fn parts<'a>(&'a mut self, settings: &'a Settings) -> (&'a mut Documents, Parts<'a>) {
        let parts = Parts {
            gate: &mut self.gate,
            settings,
            fetches: &mut self.fetches,
            scope: self.scope,
        };
        (&mut self.documents, parts)
    }
}
