//! Remembered tokens: a signature is verified once, everything else every
//! time. A token is found by all of its bytes, never by a hash alone.
//!
//! The table is set-associative: a token can stand only in the few places of
//! its two sets, so that whatever strangers send, a look-up compares a handful
//! of entries. Only verified tokens get in, and the hash takes a seed. With two
//! sets to choose from, nearly the tokens are forgotten that were used least
//! recently of all.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use countersign_kernel::bytes;

use super::Verified;
use crate::base::{hash, limits};

/// Places a set has.
const WAYS: usize = 4;

pub(crate) struct Memory {
    /// `sets × WAYS` places, grown when first needed; empty if switched off.
    places: Vec<Option<Entry>>,
    sets: usize,
    seed: u64,
    bytes: usize,
    /// Counts look-ups; it may start over, which costs a few good choices.
    clock: AtomicU32,
}

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
        let mut sets = self.sets_of(hash).into_iter().flatten();
        let entry = sets.find_map(|set| {
            let entries = self.places.get(set)?.iter().flatten();
            let mut same = entries.filter(|entry| entry.hash == hash);
            same.find(|entry| bytes::equal(&entry.token, token))
        })?;
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
        let weight = weight(token.len(), &verified);
        if weight > limits::REMEMBERED_BYTES / (2 * WAYS) {
            return;
        }
        if self.places.is_empty() {
            self.places
                .resize_with(self.sets.saturating_mul(WAYS), || None);
        }
        let hash = hash(token, self.seed);
        let now = self.tick();
        let Some(index) = self.victim(hash, now, now_ms) else {
            return;
        };
        self.forget(index);
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(Entry {
                hash,
                token: token.into(),
                verified,
                used: AtomicU32::new(now),
            });
            self.bytes = self.bytes.saturating_add(weight);
        }
        if self.bytes > limits::REMEMBERED_BYTES {
            // Bytes ran out before places did: tokens are large, so start anew
            // but for this one.
            let others = (0..self.places.len()).filter(|other| *other != index);
            others.for_each(|other| self.forget(other));
        }
    }

    /// An empty place, else an expired token's, else that of the token which was
    /// used least recently: for a mix of clients nothing cheaper forgets as little.
    fn victim(&self, hash: u64, now: u32, now_ms: i64) -> Option<usize> {
        let places = self.sets_of(hash)?.into_iter().flatten();
        places.max_by_key(|index| match self.places.get(*index) {
            None => 0,
            Some(None) => u64::MAX,
            Some(Some(entry)) if entry.verified.times.exp.is_some_and(|exp| exp < now_ms) => {
                u64::MAX - 1
            }
            Some(Some(entry)) => u64::from(now.wrapping_sub(entry.used.load(Relaxed))),
        })
    }

    /// Forgets every token that `keep` does not hold on to.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Verified) -> bool) {
        for index in 0..self.places.len() {
            let entry = self.places.get(index).and_then(Option::as_ref);
            if entry.is_some_and(|entry| !keep(&entry.verified)) {
                self.forget(index);
            }
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(entry) = self.places.get_mut(index).and_then(Option::take) {
            self.bytes = self.bytes.saturating_sub(entry.weight());
        }
    }

    /// The two sets in which a token may stand, by either half of its hash.
    fn sets_of(&self, hash: u64) -> Option<[Range<usize>; 2]> {
        let sets = u64::try_from(self.sets).ok()?;
        let set = |half: u64| {
            // As 32 bits are a fraction of 1, this is that fraction of the sets.
            let number = usize::try_from(half.checked_mul(sets)? >> 32).ok()?;
            let first = number.checked_mul(WAYS)?;
            Some(first..first.checked_add(WAYS)?)
        };
        Some([set(hash >> 32)?, set(hash & u64::from(u32::MAX))?])
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

/// The end of a token is the end of its signature, which differs between
/// tokens of one issuer; all bytes are compared afterwards.
fn hash(token: &[u8], seed: u64) -> u64 {
    let end = token.last_chunk::<32>().map_or(token, |end| end);
    hash::of(end, seed)
}
