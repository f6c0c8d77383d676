//! Hashing of Envoy's own numbers.

use std::hash::{BuildHasherDefault, Hasher};

/// For tables of contexts: Envoy numbers them one by one, so that nobody can
/// aim at the table.
pub(crate) type Numbered = BuildHasherDefault<Spread>;

#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
