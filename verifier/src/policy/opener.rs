//! Who opens a policy.

use core::fmt;

use crate::jose::Native;

/// What a host brings to a gate that it opens.
#[derive(Clone, Default)]
pub struct Host<'h> {
    /// It should be random: it keeps an attacker from choosing tokens that
    /// collide in the table of remembered tokens. 0 is safe, but slower under
    /// such an attack.
    pub seed: u64,
    /// Its own cryptography, if that verifies signatures instead of this crate.
    pub native: Option<Native>,
    /// The names and bytes of the secrets that the policy names by
    /// `secret_from`.
    pub secrets: &'h [(&'h str, &'h [u8])],
}

/// Shows no secret.
impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("native", &self.native)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Who opens a policy.
#[derive(Clone, Copy)]
pub(crate) enum Opener<'h> {
    /// A linter, which does not know the host.
    Nobody,
    Host(&'h Host<'h>),
}

impl<'h> Opener<'h> {
    pub(super) fn native(self) -> Option<&'h Native> {
        match self {
            Self::Nobody => None,
            Self::Host(host) => host.native.as_ref(),
        }
    }
}
