//! The documents that a plugin's gate asks for. One worker fetches each for
//! all of this Envoy: it takes a lease in the shared data, and puts there
//! what came; the others take it from there.

use std::collections::VecDeque;

use countersign::{Fetch, Gate, Outcome, Supplied};

use crate::{
    config::Settings,
    document::{self, Document, Wanted},
    host::shared,
    metrics::Metrics,
    response::Response,
};

/// Fetches of one worker under way that no request waits for.
const FETCHES: usize = 32;
/// Its version changes with every document.
const NEWS: &str = "countersign.news";

/// Everything that the gate ever asked for.
#[derive(Default)]
pub(crate) struct Documents {
    /// By source: these are the numbers from 0 on.
    known: Vec<Option<Document>>,
    /// This worker's fetches under way: the call, and the source.
    calls: Vec<(u32, u32)>,
    /// Sources to be fetched when some of these are done.
    queue: VecDeque<u32>,
    /// The version of [`NEWS`] up to which all was taken.
    read: u32,
    /// Sources of which there is news since [`Self::landed`] was called.
    landed: Vec<u32>,
}

/// The parts of a plugin that documents have to do with.
pub(crate) struct Parts<'a> {
    pub(crate) gate: &'a mut Gate,
    pub(crate) settings: &'a Settings,
    pub(crate) metrics: &'a mut Metrics,
}

impl Documents {
    /// Starts what is due, and what that makes due.
    pub(crate) fn start_due(&mut self, parts: &mut Parts<'_>, now_ms: u64) {
        loop {
            let fetches = parts.gate.due(now_ms);
            if fetches.is_empty() {
                return;
            }
            // What was started is not due again: this ends.
            for fetch in fetches {
                if self.calls.len() < FETCHES {
                    self.want(parts, fetch, now_ms);
                } else {
                    self.put_off(parts, fetch);
                }
            }
        }
    }

    /// Takes what another worker has fetched, or fetches it, unless another
    /// worker is doing so: whether there is news already.
    pub(crate) fn want(&mut self, parts: &mut Parts<'_>, fetch: Fetch, now_ms: u64) -> bool {
        let source = fetch.source;
        if self.calls.iter().any(|(_, flying)| *flying == source) {
            return false;
        }
        let Some(document) = self.document(parts, fetch) else {
            return false;
        };
        document.queued = false;
        match document.want(parts.gate, parts.settings, now_ms) {
            Wanted::News => self.landed.push(source),
            Wanted::Failed => self.finish(parts, source, None, now_ms),
            Wanted::Elsewhere => return false,
            Wanted::Call(call) => {
                self.calls.push((call, source));
                return false;
            }
        }
        true
    }

    /// Until other fetches are done.
    fn put_off(&mut self, parts: &Parts<'_>, fetch: Fetch) {
        let source = fetch.source;
        if let Some(document) = self.document(parts, fetch)
            && !document.queued
        {
            document.queued = true;
            self.queue.push_back(source);
        }
    }

    fn resume(&mut self, parts: &mut Parts<'_>, now_ms: u64) {
        while self.calls.len() < FETCHES
            && let Some(source) = self.queue.pop_front()
        {
            let known = self.known.get(index(source)).and_then(Option::as_ref);
            // It may have been fetched for a request meanwhile.
            if let Some(document) = known.filter(|document| document.queued) {
                let fetch = document.fetch.clone();
                self.want(parts, fetch, now_ms);
            }
        }
    }

    fn document(&mut self, parts: &Parts<'_>, fetch: Fetch) -> Option<&mut Document> {
        let index = index(fetch.source);
        if self.known.len() <= index {
            self.known.resize_with(index.saturating_add(1), || None);
        }
        let place = self.known.get_mut(index)?;
        // Discovery may name another place than before.
        if let Some(other) = place.take_if(|known| known.fetch.uri != fetch.uri) {
            other.discard();
        }
        Some(place.get_or_insert_with(|| Document::new(fetch, parts.settings)))
    }

    /// A fetch of this worker ended; `size` is the body's, and `None` where
    /// there was no answer.
    pub(crate) fn fetched(
        &mut self,
        parts: &mut Parts<'_>,
        call: u32,
        size: Option<usize>,
        now_ms: u64,
    ) {
        let Some(place) = self.calls.iter().position(|(known, _)| *known == call) else {
            return;
        };
        let (_, source) = self.calls.swap_remove(place);
        let Some(document) = self.known.get(index(source)).and_then(Option::as_ref) else {
            return;
        };
        let most = document.fetch.max_bytes;
        let response = size.ok_or("there was no answer").and_then(|size| {
            if u32::try_from(size).is_ok_and(|size| size <= most) {
                Response::take(size).ok_or("its answer could not be read")
            } else {
                Err("its answer is too large")
            }
        });
        if let Err(reason) = &response {
            document.log(reason);
        }
        self.finish(parts, source, response.ok(), now_ms);
        self.resume(parts, now_ms);
    }

    /// Has the gate judge how a fetch ended, and tells the other workers.
    fn finish(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        response: Option<Response>,
        now_ms: u64,
    ) {
        let outcome = response.as_ref().map_or(Outcome::Failed, Response::outcome);
        let known = self.known.get(index(source)).and_then(Option::as_ref);
        let Some(fetch) = known.map(|document| document.fetch.clone()) else {
            return;
        };
        let supplied = document::supply(parts.gate, &fetch, outcome, now_ms);
        if let Supplied::Accepted { .. } = supplied {
            // Discovery has named a document: its lease is this worker's
            // before the others read of it.
            self.start_due(parts, now_ms);
        }
        let known = self.known.get_mut(index(source));
        let Some(document) = known.and_then(Option::as_mut) else {
            return;
        };
        let stored = response.as_ref().and_then(Response::store);
        if let (Supplied::Accepted { skipped }, Some(stored)) = (&supplied, stored) {
            for part in skipped {
                document.log(&["a part is not used: ", &part.message].concat());
            }
            document.accepted(&stored, now_ms);
            parts.metrics.fetches_ok.add();
        } else {
            if let (Supplied::Refused(problem), Some(_)) = (&supplied, &response) {
                document.log(&problem.message);
            }
            document.failed(now_ms);
            parts.metrics.fetches_failed.add();
        }
        shared::set(NEWS, b"");
        self.landed.push(source);
    }

    /// Takes what other workers have put down since the last time.
    pub(crate) fn catch_up(&mut self, gate: &mut Gate, now_ms: u64) {
        let Some((_, news)) = shared::get(NEWS).filter(|(_, news)| *news != self.read) else {
            return;
        };
        self.read = news;
        for document in self.known.iter_mut().flatten() {
            if document.catch_up(gate, now_ms) {
                self.landed.push(document.fetch.source);
            }
        }
    }

    /// The sources of which there is news, once.
    pub(crate) fn landed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.landed)
    }

    /// Whether another worker may have news soon.
    pub(crate) fn awaits_others(&self) -> bool {
        let mut known = self.known.iter().flatten();
        known.any(|document| document.elsewhere)
    }
}

fn index(source: u32) -> usize {
    usize::try_from(source).unwrap_or(usize::MAX)
}
