//! The keys for a token: which are tried, and what to wait for if none of them
//! verifies it.

use alloc::{sync::Arc, vec::Vec};
use core::sync::atomic::Ordering::Relaxed;

use super::{Document, Held, Issuers, Source};
use crate::{
    base::limits,
    jose::{Asked, Candidates, Key},
    model::{Issuer, KeySource, Keys},
    refusal::{Code, Halt, Refusal, Wanted},
};

/// A document to wait for, or none; or else for how long (ms) there are no keys.
type Need = Result<Option<Wanted>, u64>;

impl Issuers {
    /// Returns the keys that could verify a token: of every source that lists
    /// its algorithm and has good keys.
    pub(crate) fn candidates(
        &self,
        index: usize,
        issuer: &Issuer,
        asked: &Asked<'_>,
        now_ms: u64,
    ) -> Candidates<'_> {
        self.gather(index, issuer, asked, &|source, document| {
            let is_usable = document.schedule.is_usable(now_ms);
            if source.by_kid && is_usable && asked.kid.is_some_and(|kid| document.ring.has(kid)) {
                document.touch(now_ms);
            }
            is_usable
        })
    }

    fn gather(
        &self,
        index: usize,
        issuer: &Issuer,
        asked: &Asked<'_>,
        is_usable: &dyn Fn(&Source, &Document) -> bool,
    ) -> Candidates<'_> {
        let mut found = Candidates::default();
        for (held, _) in self.serving(index, issuer, asked) {
            match held {
                Held::Inline(ring) => ring.candidates(asked, &mut found),
                Held::Fetched(id) => {
                    let Some(source) = self.sources.get(*id as usize) else {
                        continue;
                    };
                    for document in &source.documents {
                        if is_usable(source, document) {
                            document.ring.candidates(asked, &mut found);
                        }
                    }
                }
            }
        }
        found
    }

    /// Returns the sources of keys that list the token's algorithm.
    fn serving<'i, 'p>(
        &'i self,
        index: usize,
        issuer: &'p Issuer,
        asked: &Asked<'_>,
    ) -> impl Iterator<Item = (&'i Held, &'p KeySource)> + use<'i, 'p> {
        let algorithm = asked.algorithm;
        let held = self.states.get(index).into_iter().flat_map(|s| &s.keys);
        held.zip(&issuer.keys)
            .filter(move |(_, source)| source.accepted.algorithms.contains(&algorithm))
    }

    /// Returns why a token that none of the candidates verifies is denied, or
    /// what to wait for.
    pub(crate) fn without_key(
        &self,
        index: usize,
        issuer: &Issuer,
        asked: &Asked<'_>,
        found: &Candidates<'_>,
        now_ms: u64,
    ) -> Halt {
        // A refresh brings no second key of a known `kid`.
        let is_known = asked.kid.is_some() && found.named > 0 && found.fitting <= 1;
        let mut wanted = Vec::new();
        let mut pause_ms: Option<u64> = None;
        for (held, keys) in self.serving(index, issuer, asked) {
            let &Held::Fetched(id) = held else {
                continue;
            };
            let need = match &keys.keys {
                Keys::PemByKid { before, after } => {
                    self.need_by_kid(id, [before, after], asked.kid, is_known, now_ms)
                }
                _ => self.need(index, id, is_known, now_ms),
            };
            match need {
                Ok(one) => wanted.extend(one),
                Err(ms) => pause_ms = Some(pause_ms.map_or(ms, |least| least.min(ms))),
            }
        }
        match pause_ms {
            _ if !wanted.is_empty() => Halt::Wait(wanted),
            Some(ms) => Refusal::retry(Code::KeysUnavailable, ms).into(),
            None => found.code().into(),
        }
    }

    fn need(&self, index: usize, id: u32, is_known: bool, now_ms: u64) -> Need {
        let mut id = id;
        let mut document = self.document(id).map_err(|_| 0_u64)?;
        if document.uri.is_none() {
            let state = self.states.get(index);
            id = state.and_then(|state| state.discovery).unwrap_or(id);
            document = self.document(id).map_err(|_| 0_u64)?;
        }
        let needed = document.needed(!is_known, now_ms)?;
        Ok(needed.then(|| Wanted::of(id)))
    }

    /// The same for a source with a document for each `kid`.
    fn need_by_kid(
        &self,
        id: u32,
        [before, after]: [&str; 2],
        kid: Option<&str>,
        is_known: bool,
        now_ms: u64,
    ) -> Need {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let kid = kid.filter(|kid| (1..=64).contains(&kid.len()) && kid.bytes().all(legal));
        let (Some(kid), Some(source)) = (kid, self.sources.get(id as usize)) else {
            return Ok(None);
        };
        let uri: Arc<str> = [before, kid, after].concat().into();
        let pause_ms = source.ask_pause_ms(now_ms);
        let mut documents = source.documents.iter();
        let known = documents.find(|d| d.is_at(&uri) && !d.schedule.is_idle(now_ms));
        let needed = match known {
            Some(document) => document.needed(!is_known && pause_ms == 0, now_ms)?,
            None if pause_ms == 0 => true,
            None if source
                .documents
                .iter()
                .any(|d| d.schedule.is_usable(now_ms)) =>
            {
                false
            }
            None => return Err(pause_ms),
        };
        Ok(needed.then_some(Wanted {
            source: id,
            uri: Some(uri),
        }))
    }

    /// Returns whether a new check of a token would still reach the same key.
    /// `by_kid` says whether the token has a `kid`.
    pub(crate) fn still_reaches(
        &self,
        index: usize,
        issuer: &Issuer,
        key: &Arc<Key>,
        by_kid: bool,
    ) -> bool {
        let asked = Asked {
            kid: if by_kid { key.kid.as_deref() } else { None },
            algorithm: key.algorithm,
            // Without captures the keys of other issuers count too: they can
            // only make the gate forget more tokens.
            serves: None,
        };
        self.gather(index, issuer, &asked, &|_, _| true).reach(key)
    }

    /// Returns whether the document of a key is recent enough to use.
    pub(crate) fn has_usable(&self, index: usize, key: &Arc<Key>, now_ms: u64) -> bool {
        let Some(state) = self.states.get(index) else {
            return false;
        };
        let is_only = state.keys.len() == 1;
        state.keys.iter().any(|held| match held {
            Held::Inline(ring) => is_only || ring.contains(key),
            Held::Fetched(id) => self.sources.get(*id as usize).is_some_and(|source| {
                let mut documents = source.documents.iter();
                documents.any(|document| {
                    let is_usable = document.schedule.is_usable(now_ms)
                        && (is_only && !source.by_kid || document.ring.contains(key));
                    if is_usable && source.by_kid {
                        document.touch(now_ms);
                    }
                    is_usable
                })
            }),
        })
    }
}

impl Document {
    /// Returns whether to wait for this document. `is_wanted` says whether a
    /// newer one is wanted if the present one is usable. The error is the time
    /// (ms) for which there is none.
    fn needed(&self, is_wanted: bool, now_ms: u64) -> Result<bool, u64> {
        let schedule = &self.schedule;
        let in_flight = schedule.is_in_flight(now_ms);
        if schedule.is_usable(now_ms) {
            return Ok(is_wanted && (in_flight || schedule.may_refetch(now_ms)));
        }
        if in_flight || schedule.is_due(now_ms) {
            return Ok(true);
        }
        Err(schedule.pause_left_ms(now_ms))
    }

    pub(super) fn touch(&self, now_ms: u64) {
        // When the seconds wrap around, one choice is not the best.
        self.used_s.store((now_ms / 1000) as u32, Relaxed);
    }
}

impl Source {
    /// Returns for how long no unknown `kid` starts a fetch, if there is a
    /// document for each.
    fn ask_pause_ms(&self, now_ms: u64) -> u64 {
        let elapsed_ms = self.asked_ms.and_then(|asked| now_ms.checked_sub(asked));
        elapsed_ms.map_or(0, |ms| limits::UNKNOWN_KID_MS.saturating_sub(ms))
    }

    /// Drops the document that was not used for the longest time, if there are
    /// more than the source keeps. The one at `new` stays.
    pub(super) fn drop_unused(&mut self, new: usize) {
        let mut kept = 0_usize;
        let mut oldest: Option<(usize, u32)> = None;
        for (place, document) in self.documents.iter().enumerate() {
            if place == new || document.ring.is_empty() {
                continue;
            }
            kept = kept.saturating_add(1);
            let used_s = document.used_s.load(Relaxed);
            if oldest.is_none_or(|(_, least)| used_s < least) {
                oldest = Some((place, used_s));
            }
        }
        if let Some((place, _)) = oldest
            && kept >= limits::KID_DOCUMENTS
        {
            self.documents.remove(place);
        }
    }
}
