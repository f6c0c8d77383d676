//! Remembered tokens: a signature is verified once, everything else every
//! time. A token is found by all of its bytes, never by a hash alone.
//!
//! The table is set-associative: a token can stand only in the few places of
//! its set, so that whatever strangers send, a look-up compares a handful of
//! entries. Only verified tokens get in, and the hash takes a seed.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::{bytes, claims::Verified, limits};

/// Places a set has.
const WAYS: usize = 8;

#[derive(Debug)]
pub(crate) struct Memory {
    /// `sets × WAYS` places, grown when first needed; empty if switched off.
    places: Vec<Option<Entry>>,
    sets: usize,
    seed: u64,
    bytes: usize,
    /// Counts look-ups; it may start over, which costs a few good choices.
    clock: AtomicU32,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    token: Box<[u8]>,
    verified: Arc<Verified>,
    /// The clock when it was looked up last.
    used: AtomicU32,
}

impl Memory {
    /// Room for `tokens` tokens, rounded up to whole sets; 0 switches it off.
    pub(crate) fn new(tokens: usize, seed: u64) -> Self {
        Self {
            places: Vec::new(),
            sets: tokens.div_ceil(WAYS),
            seed,
            bytes: 0,
            clock: AtomicU32::new(0),
        }
    }

    pub(crate) fn recall(&self, token: &[u8]) -> Option<&Arc<Verified>> {
        let hash = hash(token, self.seed);
        let set = self.places.get(self.set(hash)?)?;
        let entry = set
            .iter()
            .flatten()
            .find(|entry| entry.hash == hash && bytes::equal(&entry.token, token))?;
        entry.used.store(self.tick(), Relaxed);
        Some(&entry.verified)
    }

    fn tick(&self) -> u32 {
        let now = self.clock.load(Relaxed).wrapping_add(1);
        self.clock.store(now, Relaxed);
        now
    }

    /// Remembers a verified token, in place of an expired one or of that which
    /// was used least recently.
    pub(crate) fn remember(&mut self, token: &[u8], verified: Arc<Verified>, now_ms: i64) {
        let hash = hash(token, self.seed);
        let Some(set) = self.set(hash) else { return };
        let now = self.tick();
        let weight = weight(token.len(), &verified);
        if weight > limits::REMEMBERED_BYTES / WAYS {
            return;
        }
        if self.places.is_empty() {
            self.places
                .resize_with(self.sets.saturating_mul(WAYS), || None);
        }
        let Some(places) = self.places.get_mut(set.clone()) else {
            return;
        };
        let Some(place) = victim(places, now, now_ms) else {
            return;
        };
        self.bytes = self
            .bytes
            .saturating_sub(place.as_ref().map_or(0, Entry::weight));
        *place = Some(Entry {
            hash,
            token: token.into(),
            verified,
            used: AtomicU32::new(now),
        });
        self.bytes = self.bytes.saturating_add(weight);
        if self.bytes > limits::REMEMBERED_BYTES {
            // Bytes ran out before places did: tokens are large, so start anew
            // but for this one's set.
            self.forget_others(set);
        }
    }

    /// Forgets every token that `keep` does not hold on to.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Verified) -> bool) {
        for place in &mut self.places {
            if place.as_ref().is_some_and(|entry| !keep(&entry.verified)) {
                self.bytes = self
                    .bytes
                    .saturating_sub(place.as_ref().map_or(0, Entry::weight));
                *place = None;
            }
        }
    }

    fn forget_others(&mut self, set: core::ops::Range<usize>) {
        for (index, place) in self.places.iter_mut().enumerate() {
            if !set.contains(&index) {
                self.bytes = self
                    .bytes
                    .saturating_sub(place.as_ref().map_or(0, Entry::weight));
                *place = None;
            }
        }
    }

    fn set(&self, hash: u64) -> Option<core::ops::Range<usize>> {
        let sets = u64::try_from(self.sets).ok()?;
        let first = usize::try_from(hash.checked_rem(sets)?)
            .ok()?
            .checked_mul(WAYS)?;
        Some(first..first.checked_add(WAYS)?)
    }
}

impl Entry {
    fn weight(&self) -> usize {
        weight(self.token.len(), &self.verified)
    }
}

fn weight(token_bytes: usize, verified: &Verified) -> usize {
    token_bytes.saturating_add(verified.weight())
}

/// An empty place, else an expired token's, else that of the token which was
/// used least recently: for a mix of clients nothing cheaper forgets as little.
fn victim(places: &mut [Option<Entry>], now: u32, now_ms: i64) -> Option<&mut Option<Entry>> {
    places.iter_mut().max_by_key(|place| match place {
        None => u64::MAX,
        Some(entry) if entry.verified.times.exp.is_some_and(|exp| exp < now_ms) => u64::MAX - 1,
        Some(entry) => u64::from(now.wrapping_sub(entry.used.load(Relaxed))),
    })
}

/// The end of a token is the end of its signature, which differs between
/// tokens of one issuer; all bytes are compared afterwards.
fn hash(token: &[u8], seed: u64) -> u64 {
    let end = token.last_chunk::<32>().map_or(token, |end| end);
    bytes::hash(end, seed)
}
