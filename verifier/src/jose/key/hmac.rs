//! HMAC (RFC 2104). Tags are compared in constant time.

use alloc::{boxed::Box, vec::Vec};
use core::hint::black_box;

use crate::jose::Hash;

/// A secret of at least the hash's length (RFC 7518 §3.2).
#[derive(PartialEq, Eq)]
pub(super) struct Secret(Box<[u8]>);

impl Secret {
    pub(super) fn new(bytes: Box<[u8]>, hash: Hash) -> Option<Self> {
        (bytes.len() >= hash.length()).then_some(Self(bytes))
    }

    /// Verifies a full tag. A truncated tag is refused.
    pub(super) fn verify(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        let inner = hash.digest(&[&self.padded(hash, 0x36), message]);
        let wanted = hash.digest(&[&self.padded(hash, 0x5c), &inner]);
        tag.len() == wanted.len() && differing_bits(&wanted, tag) == 0
    }

    /// Returns the key, padded to a block and combined with the pad byte (RFC
    /// 2104 §2).
    fn padded(&self, hash: Hash, pad: u8) -> Vec<u8> {
        let digest;
        let key = if self.0.len() > hash.block() {
            digest = hash.digest(&[&self.0]);
            &digest
        } else {
            &*self.0
        };
        let zeros = core::iter::repeat_n(&0, hash.block().saturating_sub(key.len()));
        key.iter().chain(zeros).map(|byte| byte ^ pad).collect()
    }
}

/// Compares every byte, also after a difference. If the time depended on the
/// number of equal bytes, an attacker could find a tag byte by byte.
fn differing_bits(a: &[u8], b: &[u8]) -> u8 {
    let pairs = a.iter().zip(b);
    pairs.fold(0, |bits, (a, b)| black_box(bits | (a ^ b)))
}
