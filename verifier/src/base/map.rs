//! Sets and maps with byte strings as keys, in insertion order. The hashing
//! code does not depend on the value type: a generic hash map would be compiled
//! ten times.

use alloc::{boxed::Box, vec::Vec};

use hashbrown::HashTable;

use countersign_kernel::bytes;

use super::hash;

/// A set of byte strings.
#[derive(Debug, Default)]
pub(crate) struct Set {
    keys: Vec<Box<[u8]>>,
    /// Indices into `keys`.
    table: HashTable<u32>,
}

impl Set {
    /// Returns the index of a key in insertion order.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        // Many are empty: the hosts of rules that name none.
        if self.keys.is_empty() {
            return None;
        }
        let is_key = |index: &u32| {
            let key_at = self.keys.get(*index as usize);
            key_at.is_some_and(|key_at| bytes::equal(key_at, key))
        };
        let index = self.table.find(hash(key), is_key)?;
        usize::try_from(*index).ok()
    }

    pub(crate) fn keys(&self) -> &[Box<[u8]>] {
        &self.keys
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Returns whether the key is new. The limits on documents keep a set far
    /// below 2^32 keys.
    pub(crate) fn insert(&mut self, key: &[u8]) -> bool {
        if self.contains(key) {
            return false;
        }
        let Ok(index) = u32::try_from(self.keys.len()) else {
            return false;
        };
        self.keys.push(key.into());
        let keys = &self.keys;
        let rehash = |index: &u32| keys.get(*index as usize).map_or(0, |key| hash(key));
        self.table.insert_unique(hash(key), index, rehash);
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The hash needs no seed: the keys come from trusted sources or are bounded in
/// number.
fn hash(key: &[u8]) -> u64 {
    hash::of(key, 0)
}

/// A map from byte strings to values.
#[derive(Debug)]
pub(crate) struct Map<V> {
    keys: Set,
    values: Vec<V>,
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self {
            keys: Set::default(),
            values: Vec::new(),
        }
    }
}

impl<V> Map<V> {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&V> {
        self.values.get(self.keys.find(key)?)
    }

    /// Inserts a value if the key is new, and returns whether it is. An
    /// existing value stays.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> bool {
        let is_new = self.keys.insert(key);
        if is_new {
            self.values.push(value);
        }
        is_new
    }

    /// `None` only if the map is full.
    pub(crate) fn get_or_default(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        if !self.keys.contains(key) {
            self.insert(key, V::default());
        }
        self.get_mut(key)
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        self.values.get_mut(self.keys.find(key)?)
    }
}
