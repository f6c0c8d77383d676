//! One document: its place in the shared data, and how it is fetched.

use countersign::{Fetch, FetchKind, Gate, Outcome, Supplied};

use crate::{
    address::Address,
    config::{Cluster, Settings},
    fetch,
    host::{self, Level, http::Refusal, shared},
    journal::{Copy, State},
    response::Response,
};

/// The state of a document in the shared data.
const STATE: &str = "\nstate";
pub(crate) struct Document {
    pub(crate) fetch: Fetch,
    /// Its name in the shared data.
    key: String,
    cluster: Option<Cluster>,
    /// The ends of fetches that the gate knows.
    taken: State,
    /// Another worker is fetching it.
    pub(crate) elsewhere: bool,
    /// What goes on with it.
    pub(crate) reading: Option<Reading>,
}

/// What goes on with a document, callback for callback.
pub(crate) enum Reading {
    /// It came, and is put down for the other workers before the gate has it:
    /// up to this piece.
    PutDown(Response, Copy, u32),
    /// It is taken from where another worker put it down.
    Taken(State, Vec<u8>),
    /// The gate reads it.
    InGate(Origin),
}

/// Where a document that the gate has came from.
pub(crate) enum Origin {
    /// From its server.
    Fetched(Fetched),
    /// From another worker, and when that one accepted it.
    Shared(u64),
    /// It did not come.
    Failed,
}

/// What the other workers are told once it is accepted.
pub(crate) struct Fetched {
    copy: Copy,
    cache_control: String,
    pub(crate) has_no_keys: bool,
}

/// How far one step has come.
pub(crate) enum Step {
    More(Reading),
    /// The gate has answered.
    Given(Supplied, Origin),
    /// The copy is not there any more.
    Lost,
}

/// What becomes of a document that is wanted.
pub(crate) enum Wanted {
    /// There is something to read: [`Document::step`].
    Read,
    /// A fetch of another worker has failed: the gate knows.
    FailedElsewhere,
    /// Somebody is at it: another worker, or this gate, which reads it.
    Under,
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
            reading: None,
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

    fn state(&self) -> (State, u32) {
        match shared::get(&self.state_key()) {
            Some((bytes, version)) => (State::read(&bytes), version),
            None => (State::default(), 0),
        }
    }

    /// Gives the gate what another worker has put down since the last time.
    pub(crate) fn catch_up(&mut self, gate: &mut Gate, now_ms: u64) -> Option<Wanted> {
        let (state, _) = self.state();
        self.take(gate, state, now_ms)
    }

    /// The same; if there was nothing, makes sure that somebody fetches it.
    pub(crate) fn want(&mut self, gate: &mut Gate, settings: &Settings, now_ms: u64) -> Wanted {
        if self.reading.is_some() {
            return Wanted::Under;
        }
        let (state, version) = self.state();
        if let Some(taken) = self.take(gate, state.clone(), now_ms) {
            return taken;
        }
        self.elsewhere = state.is_leased(now_ms)
            || shared::replace(&self.state_key(), &state.leased(now_ms).write(), version).is_none();
        if self.elsewhere {
            return Wanted::Under;
        }
        self.call(settings).map_or(Wanted::Failed, Wanted::Call)
    }

    /// It came from its server.
    pub(crate) fn came(&mut self, response: Response) {
        let (state, _) = self.state();
        let copy = state.copy.beside(response.body.len());
        self.reading = Some(Reading::PutDown(response, copy, 0));
    }

    /// One step of what goes on with it.
    pub(crate) fn step(&mut self, gate: &mut Gate, reading: Reading, now_ms: u64) -> Step {
        let Fetch { source, uri, .. } = &self.fetch;
        let (supplied, origin) = match reading {
            Reading::PutDown(response, copy, piece) => {
                if response.is_ok() && copy.put(&self.key, piece, &response.body) {
                    return Step::More(Reading::PutDown(response, copy, piece + 1));
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
            Reading::Taken(state, mut body) => {
                let copy = state.copy;
                if copy.take(&self.key, &mut body).is_none() {
                    return Step::Lost;
                }
                if !copy.is_whole(&body) {
                    return Step::More(Reading::Taken(state, body));
                }
                // The other worker may have looked at the clock a little later.
                // Where this gate refuses the document, it fetches it in a while.
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
            supplied => Step::Given(supplied, origin),
        }
    }

    /// Tells the other workers that the gate has accepted this.
    pub(crate) fn accepted(&mut self, fetched: Fetched, now_ms: u64) {
        let (before, _) = self.state();
        self.publish(State::accepted(now_ms, fetched.copy, fetched.cache_control));
        if before.copy.place != self.taken.copy.place {
            before.copy.discard(&self.key);
        }
    }

    /// Tells the other workers that there is nothing to accept.
    pub(crate) fn failed(&mut self, origin: &Origin, now_ms: u64) {
        self.clear(origin);
        self.publish(self.taken.clone().failed(now_ms));
    }

    /// Nobody fetches it any more, and nothing came of it.
    pub(crate) fn released(&mut self, origin: &Origin) {
        self.clear(origin);
        self.publish(self.taken.clone().released());
    }

    /// Nobody gets what was put down.
    fn clear(&self, origin: &Origin) {
        if let Origin::Fetched(fetched) = origin {
            fetched.copy.discard(&self.key);
        }
    }

    fn publish(&mut self, state: State) {
        shared::set(&self.state_key(), &state.write());
        self.taken = state;
    }

    /// Nobody needs what was there.
    pub(crate) fn discard(&self) {
        let (state, _) = self.state();
        state.copy.discard(&self.key);
    }

    fn take(&mut self, gate: &mut Gate, state: State, now_ms: u64) -> Option<Wanted> {
        let failed = state.failed_at != self.taken.failed_at && state.failed_at != 0;
        let accepted = state.accepted_at != self.taken.accepted_at
            && state.copy.pieces > 0
            && state.is_of_the_past(now_ms);
        self.taken.failed_at = state.failed_at;
        let wanted = if accepted {
            self.taken.clone_from(&state);
            self.reading = Some(Reading::Taken(state, Vec::new()));
            Wanted::Read
        } else if failed {
            let Fetch { source, uri, .. } = &self.fetch;
            gate.supply(*source, uri, Outcome::Failed, state.failed_at.min(now_ms));
            Wanted::FailedElsewhere
        } else {
            return None;
        };
        self.elsewhere = false;
        Some(wanted)
    }

    fn call(&self, settings: &Settings) -> Option<u32> {
        let Some((address, cluster)) = Address::of(&self.fetch.uri).zip(self.cluster.as_ref())
        else {
            self.log("no entry of `clusters` is for this host");
            return None;
        };
        match fetch::call(&address, cluster, settings.fetch_timeout_ms) {
            Ok(call) => return Some(call),
            Err(Refusal::NoCluster) => {
                self.log(&["Envoy has no cluster `", &cluster.name, "`"].concat());
            }
            Err(Refusal::NoHost) => {
                self.log(&["nobody in cluster `", &cluster.name, "` can be asked"].concat());
            }
        }
        None
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

/// Whoever fetches the same in the same way shares it, also across plugins and
/// across a change of the policy.
fn key(kind: FetchKind, uri: &str, cluster: Option<&Cluster>) -> String {
    let name = cluster.map_or("", |cluster| &cluster.name);
    let authority = cluster.and_then(|cluster| cluster.authority.as_deref());
    let authority = authority.unwrap_or_default();
    ["countersign", kind.as_str(), name, authority, uri].join("\n")
}
