//! One document: its entry in the shared data, and its fetch.

use countersign::{Fetch, Gate, Outcome, Supplied};

use crate::{
    config::{Cluster, Settings},
    fetch,
    host::shared,
    journal::{Copy, State},
    response::Response,
};

/// Suffix of the key of a document's state in the shared data.
const STATE: &str = "\nstate";
pub(crate) struct Document {
    pub(crate) fetch: Fetch,
    /// Its key in the shared data.
    key: String,
    cluster: Option<Cluster>,
    /// The state that the gate has processed.
    seen: State,
    /// Whether another worker fetches it.
    pub(crate) is_fetched_elsewhere: bool,
    /// The unfinished work with the document.
    pub(crate) reading: Option<Reading>,
}

/// The unfinished work with a document. Each callback does a part of it.
pub(crate) enum Reading {
    /// This worker has the response and writes it to the shared data, up to
    /// this piece. Then the gate gets it.
    Publishing(Response, Copy, u32),
    /// This worker reads the copy of another worker.
    Copying(State, Vec<u8>),
    /// The gate reads it.
    InGate(Origin),
}

/// The origin of a document that the gate has.
pub(crate) enum Origin {
    /// From its server.
    Fetched(Fetched),
    /// From another worker, which accepted it at this time.
    Shared(u64),
    /// The fetch failed.
    Failed,
}

/// What this worker publishes for the others when the gate accepts the
/// document.
pub(crate) struct Fetched {
    copy: Copy,
    cache_control: String,
    pub(crate) has_no_keys: bool,
}

/// The result of one step.
pub(crate) enum Step {
    More(Reading),
    /// The gate has processed the document.
    Processed(Supplied, Origin),
    /// The copy no longer exists.
    Lost,
}

/// The state of getting a document.
pub(crate) enum Progress {
    /// The document can be read with [`Document::step`].
    Readable,
    /// A fetch of another worker failed, and the gate has recorded it.
    FailedElsewhere,
    /// Another worker fetches the document, or this gate reads it.
    Ongoing,
    /// This worker has started a fetch, with this call number.
    Started(u32),
    /// Envoy cannot fetch it.
    Failed,
}

impl Document {
    pub(crate) fn new(fetch: Fetch, settings: &Settings, scope: &str) -> Self {
        let cluster = settings.clusters.of_uri(&fetch.uri);
        Self {
            key: key(&fetch, cluster.as_ref(), scope),
            cluster,
            fetch,
            seen: State::default(),
            is_fetched_elsewhere: false,
            reading: None,
        }
    }

    /// Makes the document's entry in the shared data. Envoy configures a plugin
    /// once before its workers do, so the entry exists for all workers. They
    /// need it to decide which of them gets the lease.
    pub(crate) fn prepare(fetch: &Fetch, settings: &Settings, scope: &str) {
        let key = key(fetch, settings.clusters.of_uri(&fetch.uri).as_ref(), scope);
        let state_key = [&key, STATE].concat();
        if shared::get(&state_key).is_none() {
            shared::set(&state_key, &State::default().write());
        }
    }

    fn state_key(&self) -> String {
        [&self.key, STATE].concat()
    }

    fn state(&self) -> (State, u32) {
        match shared::get(&self.state_key()) {
            Some((bytes, version)) => (State::read(&bytes), version),
            None => (State::default(), 0),
        }
    }

    /// Processes what another worker has published since the last call.
    pub(crate) fn catch_up(&mut self, gate: &mut Gate, now_ms: u64) -> Option<Progress> {
        let (state, _) = self.state();
        self.take(gate, state, now_ms)
    }

    /// The same; if there is nothing new, it ensures that a worker fetches the
    /// document.
    pub(crate) fn ensure_fetched(
        &mut self,
        gate: &mut Gate,
        settings: &Settings,
        now_ms: u64,
    ) -> Progress {
        if self.reading.is_some() {
            return Progress::Ongoing;
        }
        let (state, version) = self.state();
        if let Some(seen) = self.take(gate, state.clone(), now_ms) {
            return seen;
        }
        self.is_fetched_elsewhere = state.is_leased(now_ms)
            || shared::replace(&self.state_key(), &state.leased(now_ms).write(), version).is_none();
        if self.is_fetched_elsewhere {
            return Progress::Ongoing;
        }
        self.call(settings)
            .map_or(Progress::Failed, Progress::Started)
    }

    /// Takes a response of the server.
    pub(crate) fn receive(&mut self, response: Response) {
        let (state, _) = self.state();
        let copy = state.copy.next(response.body.len());
        self.reading = Some(Reading::Publishing(response, copy, 0));
    }

    /// Does one step of the work.
    pub(crate) fn step(&mut self, gate: &mut Gate, reading: Reading, now_ms: u64) -> Step {
        let Fetch { source, uri, .. } = &self.fetch;
        let (supplied, origin) = match reading {
            Reading::Publishing(response, copy, piece) => {
                if response.is_ok() && copy.write_piece(&self.key, piece, &response.body) {
                    return Step::More(Reading::Publishing(response, copy, piece + 1));
                }
                let has_no_keys = response.has_no_keys();
                let outcome = Outcome::Response {
                    status: response.status,
                    cache_control: &response.cache_control,
                    length: response.body.len(),
                    body: response.body.into(),
                };
                let supplied = gate.supply(*source, uri, outcome, now_ms);
                let fetched = Fetched {
                    copy,
                    has_no_keys,
                    cache_control: response.cache_control,
                };
                (supplied, Origin::Fetched(fetched))
            }
            Reading::Copying(state, mut body) => {
                let copy = state.copy;
                if copy.read_piece(&self.key, &mut body).is_none() {
                    return Step::Lost;
                }
                if !copy.is_complete(&body) {
                    return Step::More(Reading::Copying(state, body));
                }
                // The clock reading of the other worker can be a little later.
                // If this gate refuses the document, it fetches the document
                // later.
                let at_ms = state.accepted_at.min(now_ms);
                let outcome = Outcome::Response {
                    status: 200,
                    cache_control: &state.cache_control,
                    length: body.len(),
                    body: body.into(),
                };
                (
                    gate.supply(*source, uri, outcome, at_ms),
                    Origin::Shared(at_ms),
                )
            }
            Reading::InGate(origin) => {
                let at_ms = match origin {
                    Origin::Shared(at_ms) => at_ms,
                    Origin::Fetched(_) | Origin::Failed => now_ms,
                };
                (gate.resume(*source, &[], at_ms), origin)
            }
        };
        match supplied {
            Supplied::Unfinished => Step::More(Reading::InGate(origin)),
            supplied => Step::Processed(supplied, origin),
        }
    }

    /// Publishes that the gate has accepted the document.
    pub(crate) fn accepted(&mut self, fetched: Fetched, now_ms: u64) {
        let (before, _) = self.state();
        self.publish(State::accepted(now_ms, fetched.copy, fetched.cache_control));
        if before.copy.place != self.seen.copy.place {
            before.copy.discard(&self.key);
        }
    }

    /// Publishes that the fetch failed.
    pub(crate) fn failed(&mut self, origin: &Origin, now_ms: u64) {
        self.clear(origin);
        self.publish(self.seen.clone().failed(now_ms));
    }

    /// Releases the lease without a result.
    pub(crate) fn released(&mut self, origin: &Origin) {
        self.clear(origin);
        self.publish(self.seen.clone().released());
    }

    /// Deletes a copy that is not published.
    fn clear(&self, origin: &Origin) {
        if let Origin::Fetched(fetched) = origin {
            fetched.copy.discard(&self.key);
        }
    }

    fn publish(&mut self, state: State) {
        shared::set(&self.state_key(), &state.write());
        self.seen = state;
    }

    /// Deletes the published copy.
    pub(crate) fn discard(&self) {
        let (state, _) = self.state();
        state.copy.discard(&self.key);
    }

    fn take(&mut self, gate: &mut Gate, state: State, now_ms: u64) -> Option<Progress> {
        let failed = state.failed_at != self.seen.failed_at && state.failed_at != 0;
        let accepted = state.accepted_at != self.seen.accepted_at
            && state.copy.pieces > 0
            && state.is_from_the_past(now_ms);
        self.seen.failed_at = state.failed_at;
        let progress = if accepted {
            self.seen.clone_from(&state);
            self.reading = Some(Reading::Copying(state, Vec::new()));
            Progress::Readable
        } else if failed {
            let Fetch { source, uri, .. } = &self.fetch;
            gate.supply(*source, uri, Outcome::Failed, state.failed_at.min(now_ms));
            Progress::FailedElsewhere
        } else {
            return None;
        };
        self.is_fetched_elsewhere = false;
        Some(progress)
    }

    fn call(&self, settings: &Settings) -> Option<u32> {
        let asked = fetch::Call::get(&self.fetch.headers, settings.fetch_timeout_ms);
        let sent = fetch::send(&self.fetch.uri, self.cluster.as_ref(), &asked);
        sent.inspect_err(|reason| self.log(reason)).ok()
    }

    /// Logs a reason.
    pub(crate) fn log(&self, reason: &str) {
        let Fetch {
            issuer, kind, uri, ..
        } = &self.fetch;
        let what = ["the ", kind.as_str(), " document of"].concat();
        fetch::log(&what, issuer, uri, reason);
    }
}

/// Makes the key of a document. Plugins share documents with the same URL,
/// cluster and headers, also after a change of the policy. A plugin without the
/// secret of a header does not find what was fetched with it. The documents of
/// candidates have a scope of their own, so that a document which one of them
/// refuses is no failure for the others.
fn key(fetch: &Fetch, cluster: Option<&Cluster>, scope: &str) -> String {
    let name = cluster.map_or("", |cluster| &cluster.name);
    let authority = cluster.and_then(|cluster| cluster.authority.as_deref());
    let authority = authority.unwrap_or_default();
    let mut key = [scope, fetch.kind.as_str(), name, authority, &fetch.uri].join("\n");
    for (name, value) in &*fetch.headers {
        key.extend(["\n", name, "\n", value]);
    }
    key
}
