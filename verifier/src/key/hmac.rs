//! HMAC (RFC 2104), compared in constant time.

use alloc::boxed::Box;

use ::hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::algorithm::Hash;

/// A secret of at least the hash's length (RFC 7518 §3.2).
#[derive(PartialEq, Eq)]
pub(super) struct Secret(Box<[u8]>);

impl Secret {
    pub(super) fn new(bytes: Box<[u8]>, hash: Hash) -> Option<Self> {
        (bytes.len() >= hash.length()).then_some(Self(bytes))
    }

    /// Full tags only: a truncated one is refused.
    pub(super) fn verify(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        match hash {
            Hash::Sha256 => self.verify_with::<Hmac<Sha256>>(message, tag),
            Hash::Sha384 => self.verify_with::<Hmac<Sha384>>(message, tag),
            Hash::Sha512 => self.verify_with::<Hmac<Sha512>>(message, tag),
        }
    }

    fn verify_with<M: Mac + KeyInit>(&self, message: &[u8], tag: &[u8]) -> bool {
        // HMAC takes keys of every length, so this is never an error.
        <M as KeyInit>::new_from_slice(&self.0)
            .is_ok_and(|mac| mac.chain_update(message).verify_slice(tag).is_ok())
    }
}
