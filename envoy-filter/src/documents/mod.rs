//! The documents of a plugin's gate. One worker fetches a document for all
//! workers of this Envoy: it takes a lease in the shared data and publishes the
//! document there. The other workers read it from there.

mod reading;

use std::{collections::VecDeque, sync::Arc};

use countersign::{Fetch, Gate, Outcome};

use crate::{
    config::Settings,
    document::{Document, Origin, Progress},
    host::shared,
    metrics::Fetches,
    pace::Budget,
    response::Response,
};

/// Maximum number of fetches in flight in one worker that no request waits for.
const FETCHES: usize = 32;
/// A key in the shared data whose version changes with every published
/// document.
const CHANGES: &str = "countersign.news";

/// All documents that the gate has requested.
#[derive(Default)]
pub(crate) struct Documents {
    /// The documents, indexed by source.
    known: Vec<Entry>,
    /// The fetches of this worker that are in flight.
    in_flight: Vec<InFlight>,
    /// Documents to fetch. One callback starts a few.
    queue: VecDeque<Fetch>,
    /// Sources that the gate has not read completely.
    unread: VecDeque<u32>,
    /// The version of [`CHANGES`] that this worker has processed or is
    /// processing.
    read: u32,
    /// The index of the next document to check for changes, during a scan.
    scan_at: Option<usize>,
    /// Sources with a new result since the last call of [`Self::take_updated`].
    updated: Vec<u32>,
}

/// The document of a source.
#[derive(Default)]
struct Entry {
    document: Option<Document>,
    /// Whether it is in the queue and not fetched since.
    queued: bool,
}

/// A fetch in flight. It stores the address, because discovery can change the
/// document's address meanwhile.
struct InFlight {
    call: u32,
    source: u32,
    uri: Arc<str>,
}

/// The parts of a plugin that documents use.
pub(crate) struct Parts<'a> {
    pub(crate) gate: &'a mut Gate,
    pub(crate) settings: &'a Settings,
    pub(crate) fetches: &'a mut Fetches,
    /// The first part of the keys of its documents in the shared data.
    pub(crate) scope: &'static str,
}

impl Documents {
    /// Does the work of one callback: it reads documents, processes changes of
    /// other workers, and starts fetches. Returns whether it called
    /// [`Gate::due`]. It does so only if `is_due`, and only after it has
    /// processed all changes.
    pub(crate) fn work(&mut self, parts: &mut Parts<'_>, is_due: bool, now_ms: u64) -> bool {
        let mut budget = Budget::begin();
        if let Some(source) = self.unread.pop_front() {
            self.continue_reading(parts, source, &mut budget, now_ms);
        }
        self.scan_for_changes(parts, &mut budget, now_ms);
        let asked = is_due && self.scan_at.is_none();
        if asked {
            for fetch in parts.gate.due(now_ms) {
                self.enqueue(fetch);
            }
        }
        while self.in_flight.len() < FETCHES && budget.has_time() {
            let Some(fetch) = self.queue.pop_front() else {
                break;
            };
            let known = self.known_or_new(fetch.source);
            if known.is_some_and(|known| std::mem::take(&mut known.queued)) {
                self.want(parts, fetch, now_ms);
            }
        }
        asked
    }

    /// Returns whether [`Self::work`] has something to do now.
    pub(crate) fn has_work(&self) -> bool {
        !self.unread.is_empty()
            || self.scan_at.is_some()
            || !self.updated.is_empty()
            || (!self.queue.is_empty() && self.in_flight.len() < FETCHES)
    }

    /// Reads a document that another worker has fetched, or fetches it, unless
    /// that is in progress. Returns whether there is a new result already.
    pub(crate) fn want(&mut self, parts: &mut Parts<'_>, fetch: Fetch, now_ms: u64) -> bool {
        let (source, uri) = (fetch.source, Arc::clone(&fetch.uri));
        let is_same = |fetch: &InFlight| fetch.source == source && fetch.uri == uri;
        if self.in_flight.iter().any(is_same) {
            return false;
        }
        let Some(document) = self.document(parts, fetch) else {
            return false;
        };
        let progress = document.ensure_fetched(parts.gate, parts.settings, now_ms);
        self.handle_progress(parts, source, uri, progress, now_ms)
    }

    fn handle_progress(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        uri: Arc<str>,
        progress: Progress,
        now_ms: u64,
    ) -> bool {
        match progress {
            Progress::Readable => {
                return self.continue_reading(parts, source, &mut Budget::begin(), now_ms);
            }
            Progress::FailedElsewhere => self.updated.push(source),
            Progress::Failed => {
                let failed = parts.gate.supply(source, &uri, Outcome::Failed, now_ms);
                return self.finish(parts, source, failed, Origin::Failed, now_ms);
            }
            Progress::Ongoing => return false,
            Progress::Started(call) => {
                self.in_flight.push(InFlight { call, source, uri });
                return false;
            }
        }
        true
    }

    /// Queues a fetch for a later callback.
    fn enqueue(&mut self, fetch: Fetch) {
        let known = self.known_or_new(fetch.source);
        if known.is_some_and(|known| !std::mem::replace(&mut known.queued, true)) {
            self.queue.push_back(fetch);
        }
    }

    fn known_or_new(&mut self, source: u32) -> Option<&mut Entry> {
        let index = index(source);
        if self.known.len() <= index {
            self.known
                .resize_with(index.saturating_add(1), Entry::default);
        }
        self.known.get_mut(index)
    }

    fn document(&mut self, parts: &Parts<'_>, fetch: Fetch) -> Option<&mut Document> {
        let known = self.known_or_new(fetch.source)?;
        known.queued = false;
        // Discovery can change the address.
        let moved = |document: &mut Document| document.fetch.uri != fetch.uri;
        if let Some(other) = known.document.take_if(moved) {
            other.discard();
        }
        let new = || Document::new(fetch, parts.settings, parts.scope);
        Some(known.document.get_or_insert_with(new))
    }

    fn known(&mut self, source: u32) -> Option<&mut Document> {
        self.known.get_mut(index(source))?.document.as_mut()
    }

    /// Handles the end of a fetch of this worker. `size` is the size of the
    /// body; `None` means that there was no response.
    pub(crate) fn fetched(
        &mut self,
        parts: &mut Parts<'_>,
        call: u32,
        size: Option<usize>,
        now_ms: u64,
    ) {
        let Some(place) = self.in_flight.iter().position(|fetch| fetch.call == call) else {
            return;
        };
        let InFlight { source, uri, .. } = self.in_flight.swap_remove(place);
        let document = self.known(source);
        // A response from a former address is dropped.
        let Some(document) = document.filter(|document| document.fetch.uri == uri) else {
            return;
        };
        let max_bytes = document.fetch.max_bytes;
        let response = size.ok_or("there was no answer").and_then(|size| {
            if u32::try_from(size).is_ok_and(|size| size <= max_bytes) {
                Response::take(size).ok_or("its answer could not be read")
            } else {
                Err("its answer is too large")
            }
        });
        match response {
            Ok(response) => {
                document.receive(response);
                self.continue_reading(parts, source, &mut Budget::begin(), now_ms);
            }
            Err(reason) => {
                document.log(reason);
                let failed = parts.gate.supply(source, &uri, Outcome::Failed, now_ms);
                self.finish(parts, source, failed, Origin::Failed, now_ms);
            }
        }
    }

    /// Processes what other workers have published since the last scan.
    fn scan_for_changes(&mut self, parts: &mut Parts<'_>, budget: &mut Budget, now_ms: u64) {
        // Changes during a scan cause another scan after it.
        if self.scan_at.is_none()
            && let Some((_, version)) = shared::get(CHANGES)
            && version != self.read
        {
            self.read = version;
            self.scan_at = Some(0);
        }
        while let Some(place) = self.scan_at
            && budget.has_time()
        {
            let end = place.saturating_add(1);
            self.scan_at = (end < self.known.len()).then_some(end);
            let known = self.known.get_mut(place);
            let Some(document) = known.and_then(|known| known.document.as_mut()) else {
                continue;
            };
            if document.reading.is_some() {
                continue;
            }
            if let Some(progress) = document.catch_up(parts.gate, now_ms) {
                let (source, uri) = (document.fetch.source, Arc::clone(&document.fetch.uri));
                self.handle_progress(parts, source, uri, progress, now_ms);
            }
        }
    }

    /// Returns and clears the sources with a new result.
    pub(crate) fn take_updated(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.updated)
    }

    /// Returns whether another worker fetches one of the documents.
    pub(crate) fn awaits_others(&self) -> bool {
        let mut documents = self
            .known
            .iter()
            .filter_map(|known| known.document.as_ref());
        documents.any(|document| document.is_fetched_elsewhere)
    }
}

fn index(source: u32) -> usize {
    usize::try_from(source).unwrap_or(usize::MAX)
}
