//! The documents that a plugin's gate asks for. One worker fetches each for
//! all of this Envoy: it takes a lease in the shared data, and puts there
//! what came; the others take it from there.

mod reading;

use std::{collections::VecDeque, sync::Arc};

use countersign::{Fetch, Gate, Outcome};

use crate::{
    config::Settings,
    document::{Document, Origin, Wanted},
    host::shared,
    metrics::Metrics,
    pace::Pace,
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
    known: Vec<Known>,
    /// This worker's fetches under way.
    flights: Vec<Flight>,
    /// To be fetched, a few in one callback.
    queue: VecDeque<Fetch>,
    /// Sources that the gate has not read to their end.
    unread: VecDeque<u32>,
    /// The version of [`NEWS`] up to which all is or is being taken.
    read: u32,
    /// Of whose documents from which on news is being looked for.
    looking: Option<usize>,
    /// Sources of which there is news since [`Self::landed`] was called.
    landed: Vec<u32>,
}

/// What is known of a source.
#[derive(Default)]
struct Known {
    document: Option<Document>,
    /// It is in the queue, and nobody has fetched it since.
    queued: bool,
}

/// What is fetched from where: discovery may name another place meanwhile.
struct Flight {
    call: u32,
    source: u32,
    uri: Arc<str>,
}

/// The parts of a plugin that documents have to do with.
pub(crate) struct Parts<'a> {
    pub(crate) gate: &'a mut Gate,
    pub(crate) settings: &'a Settings,
    pub(crate) metrics: &'a mut Metrics,
}

impl Documents {
    /// As much as one callback has time for: reading, news of other workers,
    /// and what is to be fetched. Whether the gate was asked what is due, if it
    /// is to be asked: not before all news is known.
    pub(crate) fn work(&mut self, parts: &mut Parts<'_>, is_due: bool, now_ms: u64) -> bool {
        let mut pace = Pace::begin();
        if let Some(source) = self.unread.pop_front() {
            self.read_on(parts, source, &mut pace, now_ms);
        }
        self.look_for_news(parts, &mut pace, now_ms);
        let asks = is_due && self.looking.is_none();
        if asks {
            for fetch in parts.gate.due(now_ms) {
                self.put_off(fetch);
            }
        }
        while self.flights.len() < FETCHES && pace.has_time() {
            let Some(fetch) = self.queue.pop_front() else {
                break;
            };
            let known = self.known_or_new(fetch.source);
            if known.is_some_and(|known| std::mem::take(&mut known.queued)) {
                self.want(parts, fetch, now_ms);
            }
        }
        asks
    }

    /// Whether [`Self::work`] has something to do at once.
    pub(crate) fn has_work(&self) -> bool {
        !self.unread.is_empty()
            || self.looking.is_some()
            || !self.landed.is_empty()
            || (!self.queue.is_empty() && self.flights.len() < FETCHES)
    }

    /// Takes what another worker has fetched, or fetches it, unless that is
    /// being done: whether there is news already.
    pub(crate) fn want(&mut self, parts: &mut Parts<'_>, fetch: Fetch, now_ms: u64) -> bool {
        let (source, uri) = (fetch.source, Arc::clone(&fetch.uri));
        let flies = |flight: &Flight| flight.source == source && flight.uri == uri;
        if self.flights.iter().any(flies) {
            return false;
        }
        let Some(document) = self.document(parts, fetch) else {
            return false;
        };
        let wanted = document.want(parts.gate, parts.settings, now_ms);
        self.begun(parts, source, uri, wanted, now_ms)
    }

    fn begun(
        &mut self,
        parts: &mut Parts<'_>,
        source: u32,
        uri: Arc<str>,
        wanted: Wanted,
        now_ms: u64,
    ) -> bool {
        match wanted {
            Wanted::Read => return self.read_on(parts, source, &mut Pace::begin(), now_ms),
            Wanted::FailedElsewhere => self.landed.push(source),
            Wanted::Failed => {
                let failed = parts.gate.supply(source, &uri, Outcome::Failed, now_ms);
                return self.given(parts, source, failed, Origin::Failed, now_ms);
            }
            Wanted::Under => return false,
            Wanted::Call(call) => {
                self.flights.push(Flight { call, source, uri });
                return false;
            }
        }
        true
    }

    /// Until a later callback.
    fn put_off(&mut self, fetch: Fetch) {
        let known = self.known_or_new(fetch.source);
        if known.is_some_and(|known| !std::mem::replace(&mut known.queued, true)) {
            self.queue.push_back(fetch);
        }
    }

    fn known_or_new(&mut self, source: u32) -> Option<&mut Known> {
        let index = index(source);
        if self.known.len() <= index {
            self.known
                .resize_with(index.saturating_add(1), Known::default);
        }
        self.known.get_mut(index)
    }

    fn document(&mut self, parts: &Parts<'_>, fetch: Fetch) -> Option<&mut Document> {
        let known = self.known_or_new(fetch.source)?;
        known.queued = false;
        // Discovery may name another place than before.
        let moved = |document: &mut Document| document.fetch.uri != fetch.uri;
        if let Some(other) = known.document.take_if(moved) {
            other.discard();
        }
        let new = || Document::new(fetch, parts.settings);
        Some(known.document.get_or_insert_with(new))
    }

    fn known(&mut self, source: u32) -> Option<&mut Document> {
        self.known.get_mut(index(source))?.document.as_mut()
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
        let Some(place) = self.flights.iter().position(|flight| flight.call == call) else {
            return;
        };
        let Flight { source, uri, .. } = self.flights.swap_remove(place);
        let document = self.known(source);
        // What was asked of an address that is no longer right is dropped.
        let Some(document) = document.filter(|document| document.fetch.uri == uri) else {
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
        match response {
            Ok(response) => {
                document.came(response);
                self.read_on(parts, source, &mut Pace::begin(), now_ms);
            }
            Err(reason) => {
                document.log(reason);
                let failed = parts.gate.supply(source, &uri, Outcome::Failed, now_ms);
                self.given(parts, source, failed, Origin::Failed, now_ms);
            }
        }
    }

    /// Takes what other workers have put down since the last time.
    fn look_for_news(&mut self, parts: &mut Parts<'_>, pace: &mut Pace, now_ms: u64) {
        // What comes meanwhile is looked for after that.
        if self.looking.is_none()
            && let Some((_, news)) = shared::get(NEWS)
            && news != self.read
        {
            self.read = news;
            self.looking = Some(0);
        }
        while let Some(place) = self.looking
            && pace.has_time()
        {
            let end = place.saturating_add(1);
            self.looking = (end < self.known.len()).then_some(end);
            let known = self.known.get_mut(place);
            let Some(document) = known.and_then(|known| known.document.as_mut()) else {
                continue;
            };
            if document.reading.is_some() {
                continue;
            }
            if let Some(wanted) = document.catch_up(parts.gate, now_ms) {
                let (source, uri) = (document.fetch.source, Arc::clone(&document.fetch.uri));
                self.begun(parts, source, uri, wanted, now_ms);
            }
        }
    }

    /// The sources of which there is news, once.
    pub(crate) fn landed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.landed)
    }

    /// Whether another worker may have news soon.
    pub(crate) fn awaits_others(&self) -> bool {
        let mut documents = self
            .known
            .iter()
            .filter_map(|known| known.document.as_ref());
        documents.any(|document| document.elsewhere)
    }
}

fn index(source: u32) -> usize {
    usize::try_from(source).unwrap_or(usize::MAX)
}
