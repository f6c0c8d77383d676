//! HMAC (RFC 2104) and digests of secrets. Both are compared in constant time.

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

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Verifies a full tag. A truncated tag is refused.
    pub(super) fn verify(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        is_equal(&hmac(&self.0, hash, message), tag)
    }
}

/// The HMAC-SHA-256 of a message.
pub(crate) fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac(secret, Hash::Sha256, message)
}

/// Compares two digests in a time that depends on their lengths only.
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && differing_bits(a, b) == 0
}

fn hmac(secret: &[u8], hash: Hash, message: &[u8]) -> Vec<u8> {
    let inner = hash.digest(&[&padded(secret, hash, 0x36), message]);
    hash.digest(&[&padded(secret, hash, 0x5c), &inner])
}

/// Returns the key, padded to a block and combined with the pad byte (RFC
/// 2104 §2).
fn padded(key: &[u8], hash: Hash, pad: u8) -> Vec<u8> {
    let digest;
    let key = if key.len() > hash.block() {
        digest = hash.digest(&[key]);
        &digest
    } else {
        key
    };
    let zeros = core::iter::repeat_n(&0, hash.block().saturating_sub(key.len()));
    key.iter().chain(zeros).map(|byte| byte ^ pad).collect()
}

/// Compares every byte, also after a difference. If the time depended on the
/// number of equal bytes, an attacker could find a tag byte by byte.
fn differing_bits(a: &[u8], b: &[u8]) -> u8 {
    let pairs = a.iter().zip(b);
    pairs.fold(0, |bits, (a, b)| black_box(bits | (a ^ b)))
}
