//! The issuers of a gate: their current keys and revocations, and the sources
//! of these documents.

mod reading;
mod supply;

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{DocumentStatus, Fetch, FetchKind, Revocable, Revoked, Schedule};
use crate::{
    base::limits,
    jose::{Key, Keyring},
    model::{Keys, Policy},
    refusal::{Code, Halt, Refusal},
};

/// Every issuer of the policy, by index.
pub(crate) struct Issuers {
    states: Vec<State>,
    sources: Vec<Source>,
}

struct State {
    ring: Keyring,
    /// The source of its keys; `None` for inline keys.
    jwks: Option<u32>,
    discovery: Option<u32>,
    revocations: Option<u32>,
    revoked: Revoked,
}

/// One document: its issuer, its kind, its address and its schedule.
struct Source {
    issuer: usize,
    kind: FetchKind,
    /// `None` until the discovery metadata names it.
    uri: Option<Arc<str>>,
    schedule: Schedule,
    /// A document that is received but not yet read completely.
    reading: Option<reading::Reading>,
}

impl Issuers {
    pub(crate) fn new(policy: &mut Policy) -> Self {
        let mut all = Self {
            states: Vec::with_capacity(policy.issuers.len()),
            sources: Vec::new(),
        };
        for (index, issuer) in policy.issuers.iter_mut().enumerate() {
            let mut add = |kind, uri| {
                let id = u32::try_from(all.sources.len()).ok();
                all.sources.push(Source {
                    issuer: index,
                    kind,
                    uri,
                    schedule: Schedule::default(),
                    reading: None,
                });
                id
            };
            let (mut ring, mut jwks, mut discovery) = (Keyring::default(), None, None);
            match &mut issuer.keys {
                Keys::Inline(keys) => ring = core::mem::take(keys),
                Keys::JwksUri { uri, .. } => jwks = add(FetchKind::Jwks, Some(Arc::clone(uri))),
                Keys::Discovery { uri, .. } => {
                    discovery = add(FetchKind::Discovery, Some(Arc::clone(uri)));
                    jwks = add(FetchKind::Jwks, None);
                }
            }
            let revocations = issuer
                .revocations
                .as_ref()
                .and_then(|r| add(FetchKind::Revocations, Some(Arc::clone(&r.uri))));
            let revoked = Revoked::default();
            all.states.push(State {
                ring,
                jwks,
                discovery,
                revocations,
                revoked,
            });
        }
        all
    }

    /// Returns the key for a token, or why there is none, or what to wait for.
    pub(crate) fn key(
        &self,
        index: usize,
        kid: Option<&str>,
        algorithm: crate::jose::Algorithm,
        now_ms: u64,
    ) -> Result<&Arc<Key>, Halt> {
        let state = self.states.get(index).ok_or(Code::InternalError)?;
        let Some(jwks) = state.jwks else {
            return Ok(state.ring.find(kid, algorithm)?);
        };
        let source = self.source(jwks)?;
        if !source.schedule.is_usable(now_ms) {
            let source_id = if source.uri.is_some() {
                jwks
            } else {
                state.discovery.unwrap_or(jwks)
            };
            return Err(self.wait_or(source_id, Code::KeysUnavailable, now_ms));
        }
        match state.ring.find(kid, algorithm) {
            Err(Code::KeyUnknown) => {
                let schedule = &source.schedule;
                if schedule.is_in_flight(now_ms) || schedule.may_refetch(now_ms) {
                    Err(Halt::Wait(Vec::from([jwks])))
                } else {
                    Err(Code::KeyUnknown.into())
                }
            }
            found => Ok(found?),
        }
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
        if required && !self.source(id)?.schedule.is_usable(now_ms) {
            return Err(self.wait_or(id, Code::RevocationsUnavailable, now_ms));
        }
        if state.revoked.covers(token) {
            return Err(Code::TokenRevoked.into());
        }
        Ok(())
    }

    pub(crate) fn has_revocations(&self, index: usize) -> bool {
        self.states
            .get(index)
            .is_some_and(|state| state.revocations.is_some())
    }

    /// Returns whether a new check of a token would still select the same key.
    /// `by_kid` says whether the token has a `kid`.
    pub(crate) fn still_selects(&self, issuer: usize, key: &Arc<Key>, by_kid: bool) -> bool {
        let kid = if by_kid { key.kid.as_deref() } else { None };
        let ring = self.states.get(issuer).map(|state| &state.ring);
        ring.is_some_and(|r| {
            r.find(kid, key.algorithm)
                .is_ok_and(|k| Arc::ptr_eq(k, key))
        })
    }

    /// Returns whether the issuer's keys are recent enough to use.
    pub(crate) fn has_usable_keys(&self, index: usize, now_ms: u64) -> bool {
        let Some(state) = self.states.get(index) else {
            return false;
        };
        let source = state.jwks.map(|id| self.source(id));
        source.is_none_or(|s| s.is_ok_and(|s| s.schedule.is_usable(now_ms)))
    }

    /// Returns the fetches that a request waits for, and marks them as started.
    pub(crate) fn start(&mut self, ids: &[u32], policy: &Policy, now_ms: u64) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for &id in ids {
            let Some(source) = self.sources.get_mut(id as usize) else {
                continue;
            };
            if !source.schedule.is_in_flight(now_ms) {
                source.schedule.start(now_ms);
            }
            fetches.extend(source.fetch(id, policy));
        }
        fetches
    }

    /// Returns the fetches that are due, and marks them as started.
    pub(crate) fn due(&mut self, policy: &Policy, now_ms: u64) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for (id, source) in (0u32..).zip(&mut self.sources) {
            if source.uri.is_some() && source.schedule.is_due(now_ms) {
                source.schedule.start(now_ms);
                fetches.extend(source.fetch(id, policy));
            }
        }
        fetches
    }

    /// Returns the milliseconds until the next fetch is due.
    pub(crate) fn due_in_ms(&self, now_ms: u64) -> Option<u64> {
        let named = self.sources.iter().filter(|source| source.uri.is_some());
        named.map(|source| source.schedule.due_in_ms(now_ms)).min()
    }

    pub(crate) fn status(&self, policy: &Policy, now_ms: u64) -> Vec<DocumentStatus> {
        let sources = self.sources.iter();
        sources
            .filter_map(|source| {
                Some(DocumentStatus {
                    issuer: Arc::clone(&policy.issuers.get(source.issuer)?.name),
                    kind: source.kind,
                    uri: source.uri.as_deref().map_or_else(String::new, String::from),
                    age_ms: source.schedule.age_ms(now_ms),
                    failures: source.schedule.failures(),
                    usable: source.schedule.is_usable(now_ms),
                })
            })
            .collect()
    }

    fn source(&self, id: u32) -> Result<&Source, Refusal> {
        self.sources
            .get(id as usize)
            .ok_or(Code::InternalError.into())
    }

    /// Waits for a document whose fetch is in flight or due. Otherwise the
    /// document is unavailable until its pause ends.
    fn wait_or(&self, id: u32, code: Code, now_ms: u64) -> Halt {
        match self.source(id) {
            Err(refusal) => refusal.into(),
            Ok(source)
                if source.schedule.is_in_flight(now_ms) || source.schedule.is_due(now_ms) =>
            {
                Halt::Wait(Vec::from([id]))
            }
            Ok(source) => Refusal::retry(code, source.schedule.pause_left_ms(now_ms)).into(),
        }
    }
}

impl Source {
    fn fetch(&self, id: u32, policy: &Policy) -> Option<Fetch> {
        Some(Fetch {
            source: id,
            issuer: Arc::clone(&policy.issuers.get(self.issuer)?.name),
            kind: self.kind,
            uri: Arc::clone(self.uri.as_ref()?),
            timeout_ms: limits::FETCH_TIMEOUT_MS,
            max_bytes: u32::try_from(match self.kind {
                FetchKind::Revocations => policy.limits.revocation_bytes,
                FetchKind::Discovery | FetchKind::Jwks => policy.limits.document_bytes,
            })
            .unwrap_or(u32::MAX),
        })
    }
}
