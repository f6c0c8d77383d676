//! The issuers of a gate: their keys and revocations as supplied so far, and
//! the sources that supply them.

mod reading;
mod supply;

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{DocumentStatus, Fetch, FetchKind, Revocable, Revoked, Schedule};
use crate::{
    base::{Map, limits},
    jose::{Key, Keyring},
    model::{Keys, Policy},
    refusal::{Code, Halt, Refusal},
};

/// Every issuer of the policy, by index and by `iss`.
pub(crate) struct Issuers {
    states: Vec<State>,
    sources: Vec<Source>,
    by_iss: Map<usize>,
}

struct State {
    ring: Keyring,
    /// The source of its keys; `None` for keys that the policy holds.
    jwks: Option<u32>,
    discovery: Option<u32>,
    revocations: Option<u32>,
    revoked: Revoked,
}

/// One document: whose, what, where, and when.
struct Source {
    issuer: usize,
    kind: FetchKind,
    /// `None` while discovery has not named it.
    uri: Option<Arc<str>>,
    schedule: Schedule,
    /// What came and was not read to its end.
    reading: Option<reading::Reading>,
}

impl Issuers {
    pub(crate) fn new(policy: &mut Policy) -> Self {
        let mut all = Self {
            states: Vec::with_capacity(policy.issuers.len()),
            sources: Vec::new(),
            by_iss: Map::default(),
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
            all.by_iss.insert(issuer.issuer.as_bytes(), index);
        }
        all
    }

    /// By exact `iss` (RFC 7519 §4.1.1).
    pub(crate) fn index(&self, iss: &str) -> Option<usize> {
        self.by_iss.get(iss.as_bytes()).copied()
    }

    /// The key that a token names, or why it cannot be had, or what to wait
    /// for.
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
            let wanted = if source.uri.is_some() {
                jwks
            } else {
                state.discovery.unwrap_or(jwks)
            };
            return Err(self.wait_or(wanted, Code::KeysUnavailable, now_ms));
        }
        match state.ring.find(kid, algorithm) {
            Err(Code::KeyUnknown) => {
                let schedule = &source.schedule;
                if schedule.is_flying(now_ms) || schedule.may_refetch(now_ms) {
                    Err(Halt::Wait(Vec::from([jwks])))
                } else {
                    Err(Code::KeyUnknown.into())
                }
            }
            found => Ok(found?),
        }
    }

    /// Whether the issuer takes this token back.
    pub(crate) fn admit_unrevoked(
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
        // One that is too old counts as never had.
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

    /// Whether a fresh check of this token would still take the same key.
    pub(crate) fn still_finds(&self, issuer: usize, key: &Arc<Key>, by_kid: bool) -> bool {
        let kid = if by_kid { key.kid.as_deref() } else { None };
        let ring = self.states.get(issuer).map(|state| &state.ring);
        ring.is_some_and(|r| {
            r.find(kid, key.algorithm)
                .is_ok_and(|k| Arc::ptr_eq(k, key))
        })
    }

    /// Keys that are too old to be used: their tokens are not either.
    pub(crate) fn has_usable_keys(&self, index: usize, now_ms: u64) -> bool {
        let Some(state) = self.states.get(index) else {
            return false;
        };
        let source = state.jwks.map(|id| self.source(id));
        source.is_none_or(|s| s.is_ok_and(|s| s.schedule.is_usable(now_ms)))
    }

    /// What to fetch for a request that waits: counts as started.
    pub(crate) fn start(&mut self, ids: &[u32], policy: &Policy, now_ms: u64) -> Vec<Fetch> {
        let mut fetches = Vec::new();
        for &id in ids {
            let Some(source) = self.sources.get_mut(id as usize) else {
                continue;
            };
            if !source.schedule.is_flying(now_ms) {
                source.schedule.start(now_ms);
            }
            fetches.extend(source.fetch(id, policy));
        }
        fetches
    }

    /// Everything that is due: counts as started.
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

    /// How long until [`Self::due`] has something, in milliseconds.
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

    /// Wait for a document that is under way or due; else it is unavailable
    /// until its pause is over.
    fn wait_or(&self, id: u32, code: Code, now_ms: u64) -> Halt {
        match self.source(id) {
            Err(refusal) => refusal.into(),
            Ok(source) if source.schedule.is_flying(now_ms) || source.schedule.is_due(now_ms) => {
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
