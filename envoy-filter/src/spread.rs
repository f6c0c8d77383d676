//! Hashes the context numbers of Envoy.

use std::hash::{BuildHasherDefault, Hasher};

/// The hasher for tables of contexts. Envoy assigns the numbers one by one, so
/// an attacker cannot choose them.
pub(crate) type ContextHash = BuildHasherDefault<ContextHasher>;

#[derive(Default)]
pub(crate) struct ContextHasher(u64);

impl Hasher for ContextHasher {
    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
