//! The host's own cryptography.

use alloc::vec::Vec;

use super::{Algorithm, key::Key};

/// The host's own cryptography, which verifies signatures instead of this
/// crate: `crypto` of Go, OpenSSL, AWS-LC, BoringSSL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Native {
    /// Whether it is a validated module in its validated mode (FIPS 140-3).
    pub fips: bool,
    /// The algorithms that it verifies. Signatures of others, and of RSA keys
    /// that not every library accepts, are verified here, unless the policy
    /// demands the host's cryptography.
    pub algorithms: Vec<Algorithm>,
}

impl Native {
    /// Returns whether the host verifies the signatures of this key.
    pub(crate) fn verifies(&self, key: &Key) -> bool {
        self.algorithms.contains(&key.algorithm) && key.is_approved()
    }
}
