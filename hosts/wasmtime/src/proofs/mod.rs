//! Proofs of possession that may be used once (RFC 9449 §11.1): where their use is
//! recorded.

mod table;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
};

use crate::bindings::exports::countersign::gate::gate as wit;

pub(crate) use table::Table;

/// A proof that may be used once.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// Names the question in [`Instance::proven`](crate::Instance::proven).
    pub ticket: u64,
    /// Identifies the proof: a SHA-256.
    pub id: [u8; 32],
    /// Identifies the key that has signed it: a SHA-256.
    pub owner: [u8; 32],
    /// Milliseconds since 1970 from which on the gate refuses the proof by its age.
    pub expires_ms: u64,
}

/// Whether a proof is used for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstUse {
    /// It is, and its use is recorded.
    Yes,
    /// It was used before.
    No,
    /// That cannot be found out or recorded: the request is denied with 503.
    Unknown,
}

/// Records the use of proofs, for all replicas of a service: see
/// [`GateBuilder::proofs`](crate::GateBuilder::proofs).
///
/// A store keeps a proof until [`Proof::expires_ms`], and of two calls at the same
/// time with one proof answers one with [`FirstUse::Yes`]. With Redis that is
/// `SET <id> 1 NX PXAT <expires_ms>`.
pub trait ProofStore: Send + Sync + 'static {
    /// Records the use of a proof.
    fn first_use<'a>(
        &'a self,
        proof: &'a Proof,
    ) -> Pin<Box<dyn Future<Output = FirstUse> + Send + 'a>>;
}

/// Where the use of proofs is recorded.
#[derive(Clone)]
pub(crate) enum Proofs {
    /// In the memory of this process.
    Table(Arc<Table>),
    Store(Arc<dyn ProofStore>),
}

/// One table for all gates of the process.
impl Default for Proofs {
    fn default() -> Self {
        static TABLE: LazyLock<Arc<Table>> = LazyLock::new(Arc::default);
        Self::Table(TABLE.clone())
    }
}

/// Shows no bytes that others could compare.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("ticket", &self.ticket)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

impl From<wit::Proof> for Proof {
    fn from(proof: wit::Proof) -> Self {
        let hash = |bytes: Vec<u8>| bytes.try_into().unwrap_or_default();
        Self {
            ticket: proof.ticket,
            id: hash(proof.id),
            owner: hash(proof.owner),
            expires_ms: proof.expires_ms,
        }
    }
}

impl From<FirstUse> for wit::Verification {
    fn from(first: FirstUse) -> Self {
        match first {
            FirstUse::Yes => Self::Valid,
            FirstUse::No => Self::Invalid,
            FirstUse::Unknown => Self::Failed,
        }
    }
}
