//! The keys at one moment: which of them signs, and which are published.

use std::sync::Arc;

use serde_json::{Value, json};

use super::pair::Pair;
use crate::config::LONGEST_S;

/// A replica whose clock is behind, or that lacks the newest private key, may sign so long
/// with the key before it.
const GRACE_MS: i64 = 60_000;

/// The most leeway that a gate may give (`leeway_s`).
const LEEWAY_MS: i64 = 300_000;

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) generation: i64,
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) jwk: Value,
    pub(crate) signs_from: i64,
    /// Absent where this replica does not have the private key.
    pub(crate) pair: Option<Arc<Pair>>,
}

/// All keys, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    pub(crate) entries: Vec<Entry>,
    pub(crate) loaded_at: i64,
}

impl Ring {
    /// The key that signs now: the newest whose time has come.
    pub(crate) fn signer(&self, now: i64) -> Option<&Arc<Pair>> {
        let position = self.current(now)?;
        let current = self.entries.get(position)?;
        if let Some(pair) = &current.pair {
            return Some(pair);
        }
        // Its tokens must not outlive it in the key set.
        let is_recent = now < current.signs_from + GRACE_MS;
        let before = self.entries.get(position.checked_sub(1)?)?;
        before.pair.as_ref().filter(|_| is_recent)
    }

    /// The newest key, if it does not sign yet.
    pub(crate) fn next(&self, now: i64) -> Option<&Entry> {
        self.entries.last().filter(|entry| entry.signs_from > now)
    }

    /// Since when the key signs that signs now.
    pub(crate) fn signs_since(&self, now: i64) -> Option<i64> {
        Some(self.entries.get(self.current(now)?)?.signs_from)
    }

    /// The key set (RFC 7517 §5): the keys whose tokens live, the one that signs, the next.
    pub(crate) fn jwks(&self, now: i64) -> Value {
        let first = self.first_needed(now);
        let published = self.entries.iter();
        let published = published.filter(|entry| entry.generation >= first);
        json!({ "keys": published.map(|entry| &entry.jwk).collect::<Vec<_>>() })
    }

    /// The generation of the oldest key that is still needed.
    pub(crate) fn first_needed(&self, now: i64) -> i64 {
        let life = i64::from(LONGEST_S) * 1000 + LEEWAY_MS + GRACE_MS;
        let pairs = self.entries.iter().zip(self.entries.iter().skip(1));
        let gone = pairs.filter(|(_, after)| after.signs_from + life <= now);
        let first = gone.map(|(_, after)| after.generation).max();
        first.unwrap_or_else(|| self.entries.first().map_or(0, |entry| entry.generation))
    }

    /// The algorithms of all keys, each once.
    pub(crate) fn algorithms(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .entries
            .iter()
            .map(|key| key.algorithm.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn current(&self, now: i64) -> Option<usize> {
        self.entries.iter().rposition(|key| key.signs_from <= now)
    }
}
