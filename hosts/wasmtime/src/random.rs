//! Randomness that needs no library: seeds and jitter, never a secret.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// SipHash keyed by the operating system.
pub(crate) fn u64() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A duration between zero and `most`.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64((u64() >> 11) as f64 / (1u64 << 53) as f64)
}
