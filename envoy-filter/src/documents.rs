//! The documents that a plugin's gate asks for. One worker fetches each for
//! all of this Envoy: it takes a lease in the shared data, and puts there
//! what came; the others take it from there.

use countersign::{Fetch, Gate, Outcome};

use crate::{
    address::Address,
    config::{Cluster, Settings},
    host::{self, Level, http, shared},
    journal::{State, Stored},
    metrics::Metrics,
    pairs,
    response::Response,
};

/// Its version changes with every document.
const NEWS: &str = "countersign.news";

/// Everything that the gate ever asked for.
#[derive(Default)]
pub(crate) struct Documents {
    /// By source: these are the numbers from 0 on.
    known: Vec<Option<Document>>,
    /// This worker's fetches under way: the call, and the source.
    calls: Vec<(u32, u32)>,
    /// The version of [`NEWS`] up to which all was taken.
    read: u32,
    /// Sources of which there is news since [`Self::landed`] was called.
    landed: Vec<u32>,
}

struct Document {
    fetch: Fetch,
    /// Its name in the shared data.
    key: String,
    cluster: Option<Cluster>,
    /// The ends of fetches that the gate knows.
    taken: State,
    /// Another worker is fetching it.
    elsewhere: bool,
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
                self.want(parts, fetch, now_ms);
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
        let index = index(source);
        if self.known.len() <= index {
            self.known.resize_with(index.saturating_add(1), || None);
        }
        let Some(place) = self.known.get_mut(index) else {
            return false;
        };
        let known = place.take().filter(|known| known.fetch.uri == fetch.uri);
        let document = place.insert(known.unwrap_or_else(|| Document::new(fetch, parts.settings)));
        let (state, version) = document.state();
        if document.take(parts.gate, state) {
            self.landed.push(source);
            return true;
        }
        let lease = state.leased(now_ms).write();
        document.elsewhere = state.is_leased(now_ms)
            || shared::replace(&document.state_key(), &lease, version).is_none();
        if document.elsewhere {
            return false;
        }
        let Some(call) = document.call(parts.settings) else {
            self.finish(parts, source, None, now_ms);
            return true;
        };
        self.calls.push((call, source));
        false
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
        let supplied = parts.gate.supply(source, outcome, now_ms);
        if supplied.is_ok() {
            // Discovery has named a document: its lease is this worker's
            // before the others read of it.
            self.start_due(parts, now_ms);
        }
        let known = self.known.get_mut(index(source));
        let Some(document) = known.and_then(Option::as_mut) else {
            return;
        };
        let stored = response.as_ref().and_then(Response::store);
        let accepted = match (&supplied, stored) {
            (Ok(supplied), Some(stored)) => {
                for part in &supplied.skipped {
                    document.log(&["a part is not used: ", &part.message].concat());
                }
                shared::set(&document.copy_key(), &stored);
                true
            }
            (Err(problem), _) => {
                if response.is_some() {
                    document.log(&problem.message);
                }
                false
            }
            (Ok(_), None) => false,
        };
        document.taken = if accepted {
            parts.metrics.fetches_ok.add();
            State::accepted(now_ms)
        } else {
            parts.metrics.fetches_failed.add();
            document.taken.failed(now_ms)
        };
        shared::set(&document.state_key(), &document.taken.write());
        shared::set(NEWS, b"");
        self.landed.push(source);
    }

    /// Takes what other workers have put down since the last time.
    pub(crate) fn catch_up(&mut self, gate: &mut Gate) {
        let Some((_, news)) = shared::get(NEWS).filter(|(_, news)| *news != self.read) else {
            return;
        };
        self.read = news;
        for document in self.known.iter_mut().flatten() {
            let (state, _) = document.state();
            if document.take(gate, state) {
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

impl Document {
    fn new(fetch: Fetch, settings: &Settings) -> Self {
        let cluster = Address::of(&fetch.uri).and_then(|address| settings.clusters.of(&address));
        // Whoever fetches the same in the same way shares it, also across
        // plugins and across a change of the policy.
        let (name, authority) = cluster.as_ref().map_or(("", ""), |cluster| {
            let authority = cluster.authority.as_deref();
            (&cluster.name, authority.unwrap_or_default())
        });
        let parts = [
            "countersign",
            fetch.kind.as_str(),
            name,
            authority,
            &fetch.uri,
        ];
        Self {
            key: parts.join("\n"),
            cluster,
            fetch,
            taken: State::default(),
            elsewhere: false,
        }
    }

    fn state_key(&self) -> String {
        [&self.key, "\nstate"].concat()
    }

    fn copy_key(&self) -> String {
        [&self.key, "\ncopy"].concat()
    }

    fn state(&self) -> (State, u32) {
        match shared::get(&self.state_key()) {
            Some((bytes, version)) => (State::read(&bytes), version),
            None => (State::default(), 0),
        }
    }

    /// Supplies what the gate does not know yet: whether there was anything.
    fn take(&mut self, gate: &mut Gate, state: State) -> bool {
        let known = self.taken;
        let source = self.fetch.source;
        if state.accepted_at != known.accepted_at
            && let Some((bytes, _)) = shared::get(&self.copy_key())
            && let Some(Stored {
                cache_control,
                body,
            }) = Stored::read(&bytes)
        {
            let outcome = Outcome::Response {
                status: 200,
                cache_control,
                body,
            };
            // Where this gate refuses it, it fetches it itself in a while.
            let _ = gate.supply(source, outcome, state.accepted_at);
        }
        if state.failed_at != known.failed_at && state.failed_at != 0 {
            let _ = gate.supply(source, Outcome::Failed, state.failed_at);
        }
        self.taken = State {
            leased_until: 0,
            ..state
        };
        let news = self.taken != known;
        self.elsewhere &= !news;
        news
    }

    /// GET, without a body and without credentials of any kind.
    fn call(&self, settings: &Settings) -> Option<u32> {
        let (address, cluster) = Address::of(&self.fetch.uri).zip(self.cluster.as_ref())?;
        let authority = cluster.authority.as_deref().unwrap_or(address.authority);
        let headers = pairs::write(&[
            (":method", "GET"),
            (":scheme", address.scheme),
            (":authority", authority),
            (":path", &address.path()),
            ("accept", "application/json"),
        ]);
        let call = http::call(&cluster.name, &headers, settings.fetch_timeout_ms);
        if call.is_none() {
            self.log(&["Envoy has no cluster `", &cluster.name, "`"].concat());
        }
        call
    }

    /// A query stays out of the log: some put a key there.
    fn log(&self, reason: &str) {
        let Fetch {
            issuer, kind, uri, ..
        } = &self.fetch;
        let uri = uri.split('?').next().unwrap_or_default();
        let parts = [
            "countersign: the ",
            kind.as_str(),
            " document of issuer `",
            issuer,
            "` at ",
            uri,
            ": ",
            reason,
        ];
        host::log(Level::Warn, &parts.concat());
    }
}
