//! The table of used proofs of one gate.

use std::{collections::HashMap, fmt};

use countersign::Verification;

/// Used proofs, with the moments at which they can be forgotten.
#[derive(Default)]
pub struct Proofs(HashMap<Vec<u8>, u64>);

impl Proofs {
    /// Enters a proof, and says whether it is its first use.
    pub fn enter(&mut self, id: &[u8], expires_ms: u64, now_ms: u64) -> Verification {
        self.0.retain(|_, expires_ms| *expires_ms > now_ms);
        match self.0.insert(id.into(), expires_ms) {
            None => Verification::Valid,
            Some(_) => Verification::Invalid,
        }
    }
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs").finish_non_exhaustive()
    }
}
