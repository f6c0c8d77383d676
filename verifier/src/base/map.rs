//! Sets and maps of bytes, in the order of insertion. All of the hashing is
//! one piece of code, whatever the values are: a generic map would be there
//! ten times.

use alloc::{boxed::Box, vec::Vec};

use hashbrown::HashTable;

use countersign_kernel::bytes;

use super::hash;

/// Strings of bytes, each once.
#[derive(Debug, Default)]
pub(crate) struct Set {
    keys: Vec<Box<[u8]>>,
    /// Indices into `keys`.
    table: HashTable<u32>,
}

impl Set {
    /// The place of a key in the order of insertion.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let is_key = |place: &u32| {
            let held = self.keys.get(*place as usize);
            held.is_some_and(|held| bytes::equal(held, key))
        };
        let place = self.table.find(hash(key), is_key)?;
        usize::try_from(*place).ok()
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Whether it was not there before. A set is bounded by the documents that
    /// fill it, far below 2^32 keys.
    pub(crate) fn insert(&mut self, key: &[u8]) -> bool {
        if self.contains(key) {
            return false;
        }
        let Ok(place) = u32::try_from(self.keys.len()) else {
            return false;
        };
        self.keys.push(key.into());
        let keys = &self.keys;
        let again = |place: &u32| keys.get(*place as usize).map_or(0, |key| hash(key));
        self.table.insert_unique(hash(key), place, again);
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// A seed is of no use here: who fills a map is trusted, or bounded.
fn hash(key: &[u8]) -> u64 {
    hash::of(key, 0)
}

/// A value for each key.
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

    /// The value that was there before stays.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> bool {
        let is_new = self.keys.insert(key);
        if is_new {
            self.values.push(value);
        }
        is_new
    }

    /// `None` only where no further key fits.
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
