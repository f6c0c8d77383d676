//! Remembered tokens: the gate verifies their signature once and makes all
//! other checks on every use. A look-up compares all bytes of a token, never
//! only a hash.
//!
//! The table is set-associative: a token has two possible sets of a few slots,
//! so that a look-up compares a handful of entries, whatever an attacker sends.
//! Only verified tokens are inserted, and the hash has a seed. The choice
//! between two sets makes the replacement nearly least-recently-used.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use countersign_kernel::bytes;

use super::Verified;
use crate::base::{hash, limits};

/// Slots of one set.
const WAYS: usize = 4;

pub(crate) struct Memory {
    /// `sets × WAYS` slots, allocated on first use; empty if switched off.
    slots: Vec<Option<Entry>>,
    sets: usize,
    seed: u64,
    bytes: usize,
    /// Counts look-ups. When it wraps around, a few replacements are not the
    /// best.
    clock: AtomicU32,
}

struct Entry {
    hash: u64,
    token: Box<[u8]>,
    verified: Arc<Verified>,
    /// The value of the clock at the last look-up.
    used: AtomicU32,
}

impl Memory {
    /// Makes a table for `tokens` tokens, rounded up to whole sets; 0 switches
    /// it off.
    pub(crate) fn new(tokens: usize, seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            sets: tokens.div_ceil(WAYS),
            seed,
            bytes: 0,
            clock: AtomicU32::new(0),
        }
    }

    pub(crate) fn recall(&self, token: &[u8]) -> Option<&Arc<Verified>> {
        let hash = hash(token, self.seed);
        // Loops, and no chain of iterators: under the smallest code each of its
        // links would be a call.
        let mut found = None;
        'sets: for set in self.sets_of(hash)? {
            for slot in self.slots.get(set).unwrap_or_default() {
                if let Some(entry) = slot
                    && entry.hash == hash
                    && bytes::equal(&entry.token, token)
                {
                    found = Some(entry);
                    break 'sets;
                }
            }
        }
        let entry = found?;
        entry.used.store(self.tick(), Relaxed);
        Some(&entry.verified)
    }

    /// Changes a remembered token that nothing else holds at the moment.
    pub(crate) fn amend(&mut self, token: &[u8], amend: &mut dyn FnMut(&mut Verified)) {
        let hash = hash(token, self.seed);
        for set in self.sets_of(hash).into_iter().flatten() {
            let entries = self.slots.get_mut(set).unwrap_or_default();
            for entry in entries.iter_mut().flatten() {
                if entry.hash == hash && bytes::equal(&entry.token, token) {
                    Arc::get_mut(&mut entry.verified).map(&mut *amend);
                    return;
                }
            }
        }
    }

    /// Forgets a token.
    pub(crate) fn forget_token(&mut self, token: &[u8]) {
        let hash = hash(token, self.seed);
        for index in self.sets_of(hash).into_iter().flatten().flatten() {
            let entry = self.slots.get(index).and_then(Option::as_ref);
            if entry.is_some_and(|entry| entry.hash == hash && bytes::equal(&entry.token, token)) {
                self.forget(index);
            }
        }
    }

    fn tick(&self) -> u32 {
        let now = self.clock.load(Relaxed).wrapping_add(1);
        self.clock.store(now, Relaxed);
        now
    }

    /// Remembers a verified token. It replaces an expired token or the least
    /// recently used one of its sets.
    pub(crate) fn remember(&mut self, token: &[u8], verified: Arc<Verified>, now_ms: i64) {
        let weight = weight(token.len(), &verified);
        if weight > limits::REMEMBERED_BYTES / (2 * WAYS) {
            return;
        }
        if self.slots.is_empty() {
            self.slots
                .resize_with(self.sets.saturating_mul(WAYS), || None);
        }
        let hash = hash(token, self.seed);
        let now = self.tick();
        let Some(index) = self.victim(hash, now, now_ms) else {
            return;
        };
        self.forget(index);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(Entry {
                hash,
                token: token.into(),
                verified,
                used: AtomicU32::new(now),
            });
            self.bytes = self.bytes.saturating_add(weight);
        }
        if self.bytes > limits::REMEMBERED_BYTES {
            // The tokens are large and exceed the byte limit before the slots
            // are full: keep only this one.
            let others = (0..self.slots.len()).filter(|other| *other != index);
            others.for_each(|other| self.forget(other));
        }
    }

    /// Chooses an empty slot, otherwise that of an expired token, otherwise the
    /// least recently used one. For a mix of clients no cheaper policy keeps as
    /// many useful tokens.
    fn victim(&self, hash: u64, now: u32, now_ms: i64) -> Option<usize> {
        let slots = self.sets_of(hash)?.into_iter().flatten();
        slots.max_by_key(|index| match self.slots.get(*index) {
            None => 0,
            Some(None) => u64::MAX,
            Some(Some(entry)) if entry.verified.times.exp.is_some_and(|exp| exp < now_ms) => {
                u64::MAX - 1
            }
            Some(Some(entry)) => u64::from(now.wrapping_sub(entry.used.load(Relaxed))),
        })
    }

    /// Forgets every token for which `keep` returns false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Verified) -> bool) {
        for index in 0..self.slots.len() {
            let entry = self.slots.get(index).and_then(Option::as_ref);
            if entry.is_some_and(|entry| !keep(&entry.verified)) {
                self.forget(index);
            }
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(entry) = self.slots.get_mut(index).and_then(Option::take) {
            self.bytes = self.bytes.saturating_sub(entry.weight());
        }
    }

    /// Returns the two sets of a token; each half of its hash chooses one.
    fn sets_of(&self, hash: u64) -> Option<[Range<usize>; 2]> {
        let sets = u64::try_from(self.sets).ok()?;
        let set = |half: u64| {
            // This scales a 32-bit number to 0..sets without a division.
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

/// Hashes the end of the token, which is part of the signature and differs
/// between tokens of one issuer. A look-up then compares all bytes.
fn hash(token: &[u8], seed: u64) -> u64 {
    let end = token.last_chunk::<32>().map_or(token, |end| end);
    hash::of(end, seed)
}
