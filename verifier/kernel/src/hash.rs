//! SHA-2 (FIPS 180-4). Each hash function is compiled once, for all its callers.

use alloc::vec::Vec;

use sha2::{Digest, Sha256, Sha384, Sha512, digest::Output};

/// The hash function of a signature or MAC algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Bytes of a block (HMAC, RFC 2104 §2, pads the key to it).
    pub const fn block(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    /// The digest of the parts as one message.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256 => digest::<Sha256>(parts).to_vec(),
            Self::Sha384 => digest::<Sha384>(parts).to_vec(),
            Self::Sha512 => digest::<Sha512>(parts).to_vec(),
        }
    }
}

/// The SHA-256 of the parts as one message.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest::<Sha256>(parts).into()
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Output<D> {
    let mut state = D::new();
    parts.iter().for_each(|part| state.update(part));
    state.finalize()
}
