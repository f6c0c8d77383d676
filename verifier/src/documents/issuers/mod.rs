//! The issuers of a gate: their current keys and revocations, and the sources
//! of these documents.

mod keys;
mod reading;
mod supply;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::sync::atomic::AtomicU32;

use super::{
    DocumentStatus, Fetch, FetchKind, KeyTable, Revocable, Revoked, Schedule, read_inline,
};
use crate::{
    base::limits,
    jose::Keyring,
    model::{Issuer, Keys, Kind, Policy, Revocations},
    refusal::{Code, Halt, Refusal, Wanted},
};

/// Every issuer of the policy, by index.
pub(crate) struct Issuers {
    states: Vec<State>,
    sources: Vec<Source>,
}

struct State {
    /// The sources of its keys, in the policy's order.
    keys: Vec<Held>,
    discovery: Option<u32>,
    revocations: Option<u32>,
    revoked: Revoked,
    /// Where its API keys are, if they are fetched.
    api_keys: Option<u32>,
    key_table: KeyTable,
}

/// Where the keys of a source of the policy are.
enum Held {
    Inline(Keyring),
    Fetched(u32),
}

/// A source of documents: its issuer and its kind.
struct Source {
    issuer: usize,
    kind: FetchKind,
    /// The index of the policy's source of keys.
    keys: usize,
    /// One. But if there is a document for each `kid`, those that the source
    /// keeps, and the one that it asks for.
    documents: Vec<Document>,
    by_kid: bool,
    /// When a `kid` last started a fetch.
    asked_ms: Option<u64>,
}

/// One document: its address, its schedule and its keys.
#[derive(Default)]
struct Document {
    /// `None` until the discovery metadata names it.
    uri: Option<Arc<str>>,
    schedule: Schedule,
    /// A document that is received but not yet read completely.
    reading: Option<reading::Reading>,
    ring: Keyring,
    /// When one of its keys was last used, in seconds. Only for sources with a
    /// document for each `kid`.
    used_s: AtomicU32,
}

impl Issuers {
    pub(crate) fn new(policy: &mut Policy) -> Self {
        let mut all = Self {
            states: Vec::with_capacity(policy.issuers.len()),
            sources: Vec::new(),
        };
        for (index, issuer) in policy.issuers.iter_mut().enumerate() {
            let mut state = State {
                keys: Vec::with_capacity(issuer.keys.len()),
                discovery: None,
                revocations: None,
                revoked: Revoked::default(),
                api_keys: None,
                key_table: KeyTable::default(),
            };
            for (place, source) in issuer.keys.iter_mut().enumerate() {
                let mut add = |kind, uri| all.add(index, place, kind, uri);
                let held = match &mut source.keys {
                    Keys::Inline(keys) => Held::Inline(core::mem::take(keys)),
                    Keys::Jwks(uri) | Keys::PemMap(uri) => {
                        Held::Fetched(add(FetchKind::Jwks, Some(Arc::clone(uri))))
                    }
                    Keys::Discovery { uri, .. } => {
                        let uri = Some(Arc::clone(uri));
                        state.discovery = Some(add(FetchKind::Discovery, uri));
                        Held::Fetched(add(FetchKind::Jwks, None))
                    }
                    Keys::PemByKid { .. } => {
                        let id = add(FetchKind::Jwks, None);
                        if let Some(source) = all.sources.last_mut() {
                            source.by_kid = true;
                            source.documents.clear();
                        }
                        Held::Fetched(id)
                    }
                };
                state.keys.push(held);
            }
            let revocations = issuer.revocations.as_ref();
            state.revocations = revocations
                .map(|r| all.add(index, 0, FetchKind::Revocations, Some(Arc::clone(&r.uri))));
            if let Kind::ApiKeys(keys) = &mut issuer.kind {
                match &keys.uri {
                    Some(uri) => {
                        let uri = Some(Arc::clone(uri));
                        state.api_keys = Some(all.add(index, 0, FetchKind::ApiKeys, uri));
                    }
                    None => {
                        let document = core::mem::take(&mut keys.inline);
                        state.key_table = read_inline(document, keys);
                    }
                }
            }
            all.states.push(state);
        }
        all
    }

    fn add(&mut self, issuer: usize, keys: usize, kind: FetchKind, uri: Option<Arc<str>>) -> u32 {
        // A policy has far less than 2^32 sources.
        let id = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(Source {
            issuer,
            kind,
            keys,
            documents: Vec::from([Document::at(uri)]),
            by_kid: false,
            asked_ms: None,
        });
        id
    }

    /// Refuses a token that the issuer has revoked.
    pub(crate) fn check_revocation(
        &self,
        index: usize,
        required: bool,
        token: &Revocable<'_>,
        now_ms: u64,
    ) -> Result<(), Halt> {
        let state = self.states.get(index).ok_or(Code::InternalError)?;
        let Some(id) = state.revocations else {
            return Ok(());
        };
        // A document that is too old counts as never loaded.
        let schedule = &self.document(id)?.schedule;
        if required && !schedule.is_usable(now_ms) {
            return Err(unavailable(
                id,
                schedule,
                Code::RevocationsUnavailable,
                now_ms,
            ));
        }
        if state.revoked.covers(token) {
            return Err(Code::TokenRevoked.into());
        }
        Ok(())
    }

    /// Returns whether the document of an issuer's API keys is recent enough to
    /// use.
    pub(crate) fn has_api_keys(&self, index: usize, now_ms: u64) -> bool {
        let place = self.states.get(index).map(|state| state.api_keys);
        match place {
            None => false,
            // Those of the policy.
            Some(None) => true,
            Some(Some(id)) => {
                let document = self.document(id);
                document.is_ok_and(|document| document.schedule.is_usable(now_ms))
            }
        }
    }

    /// Returns the API keys of an issuer, if their document is recent enough.
    pub(crate) fn api_keys(&self, index: usize, now_ms: u64) -> Result<&KeyTable, Halt> {
        let state = self.states.get(index).ok_or(Code::InternalError)?;
        match state.api_keys {
            Some(id) if !self.has_api_keys(index, now_ms) => {
                let schedule = &self.document(id)?.schedule;
                Err(unavailable(id, schedule, Code::ApiKeysUnavailable, now_ms))
            }
            _ => Ok(&state.key_table),
        }
    }

    /// Returns the issuer whose API keys a source has.
    pub(crate) fn issuer_of_api_keys(&self, id: u32) -> Option<usize> {
        let source = self.sources.get(id as usize)?;
        (source.kind == FetchKind::ApiKeys).then_some(source.issuer)
    }

    pub(crate) fn has_revocations(&self, index: usize) -> bool {
        self.states
            .get(index)
            .is_some_and(|state| state.revocations.is_some())
    }

    /// Returns the fetches that a request waits for, and marks them as started.
    pub(crate) fn start(&mut self, wanted: &[Wanted], policy: &Policy, now_ms: u64) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for Wanted { source: id, uri } in wanted {
            let Some(source) = self.sources.get_mut(*id as usize) else {
                continue;
            };
            let place = match uri {
                Some(uri) => source.asked(uri, now_ms),
                None => 0,
            };
            if let Some(document) = source.documents.get_mut(place)
                && !document.schedule.is_in_flight(now_ms)
            {
                document.schedule.start(now_ms);
                source.asked_ms = Some(now_ms);
            }
            fetches.extend(source.fetch(*id, place, policy));
        }
        fetches
    }

    /// Returns the fetches that are due, and marks them as started.
    pub(crate) fn due(&mut self, policy: &Policy, now_ms: u64) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for (id, source) in (0u32..).zip(&mut self.sources) {
            source.forget_lost(now_ms);
            for place in 0..source.documents.len() {
                if let Some(document) = source.documents.get_mut(place)
                    && document.uri.is_some()
                    && document.schedule.is_due(now_ms)
                {
                    document.schedule.start(now_ms);
                    fetches.extend(source.fetch(id, place, policy));
                }
            }
        }
        fetches
    }

    /// Returns the milliseconds until the next fetch is due.
    pub(crate) fn due_in_ms(&self, now_ms: u64) -> Option<u64> {
        let documents = self.sources.iter().flat_map(|source| &source.documents);
        let named = documents.filter(|document| document.uri.is_some());
        named
            .map(|document| document.schedule.due_in_ms(now_ms))
            .min()
    }

    pub(crate) fn status(&self, policy: &Policy, now_ms: u64) -> Vec<DocumentStatus> {
        let mut all = Vec::new();
        for source in &self.sources {
            let Some(issuer) = policy.issuers.get(source.issuer) else {
                continue;
            };
            for Document { uri, schedule, .. } in &source.documents {
                all.push(DocumentStatus {
                    issuer: Arc::clone(&issuer.name),
                    kind: source.kind,
                    uri: uri.as_deref().map_or_else(String::new, String::from),
                    age_ms: schedule.age_ms(now_ms),
                    failures: schedule.failures(),
                    usable: schedule.is_usable(now_ms),
                    needed: is_needed(issuer, source),
                });
            }
        }
        all
    }

    /// Returns whether every needed document was accepted once.
    pub(crate) fn are_ready(&self, policy: &Policy) -> bool {
        self.sources.iter().all(|source| {
            let issuer = policy.issuers.get(source.issuer);
            let is_needed = issuer.is_some_and(|issuer| is_needed(issuer, source));
            let mut documents = source.documents.iter();
            !is_needed || documents.all(|document| document.schedule.had_one())
        })
    }

    /// Returns every document whose address is known, as it is fetched.
    pub(crate) fn named(&self, policy: &Policy) -> Vec<Fetch> {
        let mut all = Vec::new();
        for (id, source) in (0u32..).zip(&self.sources) {
            all.extend((0..source.documents.len()).filter_map(|at| source.fetch(id, at, policy)));
        }
        all
    }

    /// Returns the document of a source that has one.
    fn document(&self, id: u32) -> Result<&Document, Refusal> {
        let source = self.sources.get(id as usize);
        source
            .and_then(|source| source.documents.first())
            .ok_or(Code::InternalError.into())
    }
}

/// The policy says which documents may be missing at the start. What a `kid` asks
/// for cannot be fetched before.
fn is_needed(issuer: &Issuer, source: &Source) -> bool {
    let may_lack = |revocations: &Revocations| !revocations.required;
    let optional =
        source.kind == FetchKind::Revocations && issuer.revocations.as_ref().is_some_and(may_lack);
    issuer.needed_at_start && !optional && !source.by_kid
}

/// Waits for a document that cannot be used, or refuses with the code if it may
/// not be fetched now.
fn unavailable(id: u32, schedule: &Schedule, code: Code, now_ms: u64) -> Halt {
    match schedule.is_in_flight(now_ms) || schedule.is_due(now_ms) {
        true => Halt::Wait(Vec::from([Wanted::of(id)])),
        false => Refusal::retry(code, schedule.pause_left_ms(now_ms)).into(),
    }
}

impl Document {
    fn at(uri: Option<Arc<str>>) -> Self {
        Self {
            uri,
            ..Self::default()
        }
    }

    fn is_at(&self, uri: &str) -> bool {
        self.uri.as_deref() == Some(uri)
    }
}

impl Source {
    /// Returns the place of the document at this address. If there is none, it
    /// adds one.
    fn asked(&mut self, uri: &Arc<str>, now_ms: u64) -> usize {
        self.forget_lost(now_ms);
        let place = self.documents.iter().position(|d| d.is_at(uri));
        place.unwrap_or_else(|| {
            self.documents.push(Document::at(Some(Arc::clone(uri))));
            self.documents.len().saturating_sub(1)
        })
    }

    /// Forgets documents of a `kid` that were asked for and never came.
    fn forget_lost(&mut self, now_ms: u64) {
        if self.by_kid {
            self.documents.retain(|d| !d.schedule.is_idle(now_ms));
        }
    }

    fn fetch(&self, id: u32, place: usize, policy: &Policy) -> Option<Fetch> {
        let issuer = policy.issuers.get(self.issuer)?;
        Some(Fetch {
            source: id,
            issuer: Arc::clone(&issuer.name),
            kind: self.kind,
            uri: Arc::clone(self.documents.get(place)?.uri.as_ref()?),
            headers: match (&issuer.kind, self.kind) {
                (Kind::ApiKeys(keys), FetchKind::ApiKeys) => Arc::clone(&keys.headers),
                _ => Arc::default(),
            },
            timeout_ms: limits::FETCH_TIMEOUT_MS,
            max_bytes: u32::try_from(match self.kind {
                FetchKind::ApiKeys => policy.limits.api_keys_bytes,
                FetchKind::Revocations => policy.limits.revocation_bytes,
                FetchKind::Discovery | FetchKind::Jwks => policy.limits.document_bytes,
            })
            .unwrap_or(u32::MAX),
        })
    }
}
