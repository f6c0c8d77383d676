//! Proofs of possession that may be used once: the questions that are open, the
//! answers until the check that needs them, and the keys of proofs.
//!
//! A question belongs to the bytes of one proof, whose signature is good. If two
//! requests show the same proof, each has a question of its own: the host says
//! "first" to only one of them, and only one decision uses that answer.

use alloc::{sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::Verification;
use crate::{
    base::limits,
    jose::{Algorithm, Key},
};

/// A proof of possession that may be used once (RFC 9449 §11.1). The host keeps
/// a table for all gates of its process.
///
/// The answer is [`Valid`](crate::Verification::Valid) for the first use,
/// [`Invalid`](crate::Verification::Invalid) for another, and
/// [`Failed`](crate::Verification::Failed) if the table is full or cannot be
/// reached: an entry stays in it until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Identifies the question in [`verified`](crate::Gate::verified).
    pub ticket: u64,
    /// Identifies the proof: a SHA-256.
    pub id: [u8; 32],
    /// Identifies the key of the proof. A host limits how many entries each has,
    /// so that one client cannot fill the table.
    pub owner: [u8; 32],
    /// When the entry can be forgotten: milliseconds since the epoch.
    pub expires_ms: u64,
}

/// A proof about which the host is asked. Its signature is good.
pub(crate) struct Shown {
    pub(crate) id: [u8; 32],
    pub(crate) owner: [u8; 32],
    pub(crate) expires_ms: u64,
    /// The SHA-256 of the whole proof.
    pub(crate) digest: [u8; 32],
    /// Its key, unless the check knows from an open question that the signature
    /// is good.
    pub(crate) key: Option<Arc<Key>>,
}

#[derive(Default)]
pub(crate) struct Proofs {
    open: Vec<Open>,
    keys: Vec<Known>,
    /// Counts the uses of keys. When it wraps around, a few replacements are not
    /// the best.
    clock: AtomicU32,
}

struct Open {
    number: u64,
    digest: [u8; 32],
    asked_ms: u64,
    answer: Option<Verification>,
    /// Whether the present check has read its answer.
    used: AtomicBool,
}

/// A prepared key that has signed a good proof.
struct Known {
    thumbprint: [u8; 32],
    key: Arc<Key>,
    used: AtomicU32,
}

impl Proofs {
    /// Opens a question; `None` if too many are open.
    pub(crate) fn ask(&mut self, shown: Shown, number: u64, now_ms: u64) -> Option<Proof> {
        if let Some(key) = shown.key {
            self.keep(shown.owner, key);
        }
        self.open.retain(|open| open.is_open(now_ms));
        if self.open.len() >= limits::PROOFS {
            // Nobody came for these answers.
            self.open.retain(|open| open.answer.is_none());
        }
        if self.open.len() >= limits::PROOFS {
            return None;
        }
        self.open.push(Open {
            number,
            digest: shown.digest,
            asked_ms: now_ms,
            answer: None,
            used: AtomicBool::new(false),
        });
        Some(Proof {
            ticket: number,
            id: shown.id,
            owner: shown.owner,
            expires_ms: shown.expires_ms,
        })
    }

    /// Takes the answer to a question: the first one, if it is still open.
    pub(crate) fn answer(&mut self, number: u64, answer: Verification) {
        let mut open = self.open.iter_mut();
        if let Some(open) = open.find(|open| open.number == number) {
            open.answer.get_or_insert(answer);
        }
    }

    /// Returns whether a question about this very proof is open: then its
    /// signature is good.
    pub(crate) fn is_signed(&self, digest: &[u8; 32], now_ms: u64) -> bool {
        self.open
            .iter()
            .any(|open| open.digest == *digest && open.is_open(now_ms))
    }

    /// Returns an answer about this proof: that it is the first use, if there is
    /// one that no decision has used.
    pub(crate) fn find(&self, digest: &[u8; 32], now_ms: u64) -> Option<Verification> {
        let mut found: Option<&Open> = None;
        for open in &self.open {
            let counts = open.answer.is_some() && open.digest == *digest && open.is_open(now_ms);
            let is_first = open.answer == Some(Verification::Valid);
            if counts && (found.is_none() || is_first) {
                found = Some(open);
                if is_first {
                    break;
                }
            }
        }
        let found = found?;
        found.used.store(true, Relaxed);
        found.answer
    }

    /// Ends a check. A decision ends the question whose answer it has read.
    pub(crate) fn end_check(&mut self, waits: bool) {
        if self.open.is_empty() {
            return;
        }
        if !waits {
            self.open.retain(|open| !open.used.load(Relaxed));
        }
        for open in &self.open {
            open.used.store(false, Relaxed);
        }
    }

    /// Returns the key with this thumbprint, prepared for the algorithm.
    pub(crate) fn key(&self, thumbprint: &[u8; 32], algorithm: Algorithm) -> Option<&Arc<Key>> {
        let known = self
            .keys
            .iter()
            .find(|known| known.thumbprint == *thumbprint && known.key.algorithm == algorithm)?;
        known.used.store(self.tick(), Relaxed);
        Some(&known.key)
    }

    /// Keeps a key in place of the least recently used one.
    fn keep(&mut self, thumbprint: [u8; 32], key: Arc<Key>) {
        if self.key(&thumbprint, key.algorithm).is_some() {
            return;
        }
        let now = self.tick();
        let known = Known {
            thumbprint,
            key,
            used: AtomicU32::new(now),
        };
        if self.keys.len() < limits::PROOF_KEYS {
            self.keys.push(known);
            return;
        }
        let oldest = self
            .keys
            .iter_mut()
            .max_by_key(|known| now.wrapping_sub(known.used.load(Relaxed)));
        if let Some(oldest) = oldest {
            *oldest = known;
        }
    }

    fn tick(&self) -> u32 {
        let now = self.clock.load(Relaxed).wrapping_add(1);
        self.clock.store(now, Relaxed);
        now
    }
}

impl Open {
    fn is_open(&self, now_ms: u64) -> bool {
        let age_ms = now_ms.checked_sub(self.asked_ms);
        age_ms.is_some_and(|age_ms| age_ms < limits::TICKET_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(digest: u8) -> Shown {
        Shown {
            id: [digest; 32],
            owner: [7; 32],
            expires_ms: 1_000,
            digest: [digest; 32],
            key: None,
        }
    }

    #[test]
    fn of_two_answers_the_first_use_counts_once() {
        let mut proofs = Proofs::default();
        for number in [1, 2] {
            assert!(proofs.ask(shown(9), number, 0).is_some());
        }
        proofs.answer(1, Verification::Invalid);
        proofs.answer(2, Verification::Valid);
        proofs.answer(2, Verification::Invalid);
        assert_eq!(proofs.find(&[9; 32], 0), Some(Verification::Valid));
        // A check that waits needs it again.
        proofs.end_check(true);
        assert_eq!(proofs.find(&[9; 32], 0), Some(Verification::Valid));
        proofs.end_check(false);
        assert_eq!(proofs.find(&[9; 32], 0), Some(Verification::Invalid));
        proofs.end_check(false);
        assert_eq!(proofs.find(&[9; 32], 0), None);
        assert!(!proofs.is_signed(&[9; 32], 0));
    }

    #[test]
    fn questions_end_and_are_bounded() {
        let mut proofs = Proofs::default();
        assert!(proofs.ask(shown(1), 1, 0).is_some());
        proofs.answer(1, Verification::Valid);
        assert!(proofs.is_signed(&[1; 32], limits::TICKET_MS - 1));
        assert!(!proofs.is_signed(&[1; 32], limits::TICKET_MS));
        assert_eq!(proofs.find(&[1; 32], limits::TICKET_MS), None);
        let now_ms = limits::TICKET_MS;
        let most = u64::try_from(limits::PROOFS).unwrap();
        for number in 2..most + 2 {
            assert!(proofs.ask(shown(2), number, now_ms).is_some());
        }
        assert!(proofs.ask(shown(3), most + 2, now_ms).is_none());
        proofs.answer(2, Verification::Valid);
        assert!(proofs.ask(shown(3), most + 3, now_ms).is_some());
        assert_eq!(proofs.open.len(), limits::PROOFS);
    }
}
