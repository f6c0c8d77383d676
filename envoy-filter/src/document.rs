//! One document: its place in the shared data, and how it is fetched.

use countersign::{Fetch, FetchKind, Gate, Outcome, Supplied};

use crate::{
    address::Address,
    config::{Cluster, Settings},
    host::{self, Level, http, shared},
    journal::{State, Stored},
    pairs,
};

/// The parts of a document in the shared data.
const STATE: &str = "\nstate";
const COPY: &str = "\ncopy";

pub(crate) struct Document {
    pub(crate) fetch: Fetch,
    /// Its name in the shared data.
    key: String,
    cluster: Option<Cluster>,
    /// The ends of fetches that the gate knows.
    taken: State,
    /// Another worker is fetching it.
    pub(crate) elsewhere: bool,
    /// It has to be fetched when others are done.
    pub(crate) queued: bool,
}

/// What becomes of a document that is wanted.
pub(crate) enum Wanted {
    /// Another worker had it: the gate has it now.
    News,
    /// Another worker is fetching it.
    Elsewhere,
    /// This worker is fetching it, by this call.
    Call(u32),
    /// Envoy cannot fetch it.
    Failed,
}

impl Document {
    pub(crate) fn new(fetch: Fetch, settings: &Settings) -> Self {
        let cluster = settings.clusters.of_uri(&fetch.uri);
        Self {
            key: key(fetch.kind, &fetch.uri, cluster.as_ref()),
            cluster,
            fetch,
            taken: State::default(),
            elsewhere: false,
            queued: false,
        }
    }

    /// Makes its place in the shared data. Envoy configures a plugin once
    /// before its workers do: so none of them finds no place, for which they
    /// could not tell who came first.
    pub(crate) fn prepare(kind: FetchKind, uri: &str, settings: &Settings) {
        let key = key(kind, uri, settings.clusters.of_uri(uri).as_ref());
        let state_key = [&key, STATE].concat();
        if shared::get(&state_key).is_none() {
            shared::set(&state_key, &State::default().write());
        }
    }

    fn state_key(&self) -> String {
        [&self.key, STATE].concat()
    }

    fn copy_key(&self) -> String {
        [&self.key, COPY].concat()
    }

    fn state(&self) -> (State, u32) {
        match shared::get(&self.state_key()) {
            Some((bytes, version)) => (State::read(&bytes), version),
            None => (State::default(), 0),
        }
    }

    /// Supplies what another worker has put down: whether there was anything.
    pub(crate) fn catch_up(&mut self, gate: &mut Gate, now_ms: u64) -> bool {
        let (state, _) = self.state();
        self.take(gate, state, now_ms)
    }

    /// The same; if there was nothing, makes sure that somebody fetches it.
    pub(crate) fn want(&mut self, gate: &mut Gate, settings: &Settings, now_ms: u64) -> Wanted {
        let (state, version) = self.state();
        if self.take(gate, state, now_ms) {
            return Wanted::News;
        }
        let lease = state.leased(now_ms).write();
        self.elsewhere = state.is_leased(now_ms)
            || shared::replace(&self.state_key(), &lease, version).is_none();
        if self.elsewhere {
            return Wanted::Elsewhere;
        }
        self.call(settings).map_or(Wanted::Failed, Wanted::Call)
    }

    /// Tells the other workers that the gate has accepted this.
    pub(crate) fn accepted(&mut self, stored: &[u8], now_ms: u64) {
        shared::set(&self.copy_key(), stored);
        self.publish(State::accepted(now_ms));
    }

    /// Tells the other workers that there is nothing to accept.
    pub(crate) fn failed(&mut self, now_ms: u64) {
        self.publish(self.taken.failed(now_ms));
    }

    fn publish(&mut self, state: State) {
        self.taken = state;
        shared::set(&self.state_key(), &state.write());
    }

    /// Nobody needs what was there.
    pub(crate) fn discard(&self) {
        shared::set(&self.copy_key(), b"");
    }

    fn take(&mut self, gate: &mut Gate, state: State, now_ms: u64) -> bool {
        let mut news = false;
        if state.accepted_at != self.taken.accepted_at
            && let Some((bytes, _)) = shared::get(&self.copy_key())
            && let Some(stored) = Stored::read(&bytes)
        {
            // The other worker may have looked at the clock a little later.
            // Where this gate refuses the document, it fetches it in a while.
            let at_ms = state.accepted_at.min(now_ms);
            let _ = supply(gate, &self.fetch, stored.outcome(), at_ms);
            self.taken.accepted_at = state.accepted_at;
            news = true;
        }
        if state.failed_at != self.taken.failed_at && state.failed_at != 0 {
            let at_ms = state.failed_at.min(now_ms);
            let _ = supply(gate, &self.fetch, Outcome::Failed, at_ms);
            self.taken.failed_at = state.failed_at;
            news = true;
        }
        self.elsewhere &= !news;
        self.queued &= !news;
        news
    }

    /// GET, without a body and without credentials of any kind.
    fn call(&self, settings: &Settings) -> Option<u32> {
        let Some((address, cluster)) = Address::of(&self.fetch.uri).zip(self.cluster.as_ref())
        else {
            self.log("no cluster is named that fetches from this host");
            return None;
        };
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
    pub(crate) fn log(&self, reason: &str) {
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

/// Has the gate read a document to its end.
pub(crate) fn supply(
    gate: &mut Gate,
    fetch: &Fetch,
    outcome: Outcome<'_>,
    now_ms: u64,
) -> Supplied {
    let mut supplied = gate.supply(fetch.source, &fetch.uri, outcome, now_ms);
    while supplied == Supplied::Unfinished {
        supplied = gate.resume(fetch.source, now_ms);
    }
    supplied
}

/// Whoever fetches the same in the same way shares it, also across plugins and
/// across a change of the policy.
fn key(kind: FetchKind, uri: &str, cluster: Option<&Cluster>) -> String {
    let name = cluster.map_or("", |cluster| &cluster.name);
    let authority = cluster.and_then(|cluster| cluster.authority.as_deref());
    let authority = authority.unwrap_or_default();
    ["countersign", kind.as_str(), name, authority, uri].join("\n")
}
