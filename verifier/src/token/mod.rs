//! Verified tokens: their claims in the terms of the policy, with types, times
//! and scopes, and the tokens that the gate remembers. Uses `base`, `json`,
//! `refusal`, `jose`, `model` and `documents`.

mod answers;
mod confirmation;
mod describe;
mod forward;
mod inspect;
mod mapped;
mod memory;
mod outgoing;
mod principal;
mod proofs;
mod response;
pub(crate) mod scope;
mod server;
mod tickets;
mod times;
mod types;
mod verified;

use alloc::boxed::Box;

pub(crate) use answers::{Answers, Asked, Known, Learned, SignedAnswer};
pub(crate) use confirmation::Confirmation;
pub(crate) use describe::{describe_claims, describe_form};
pub use inspect::{Inspection, inspect};
pub(crate) use memory::Memory;
pub use outgoing::Outgoing;
pub use principal::Principal;
pub use proofs::Proof;
pub(crate) use proofs::{Proofs, Shown};
pub(crate) use response::read_signed;
pub(crate) use tickets::{OfSignature, Tickets};
pub use tickets::{Signature, Verification};
pub(crate) use times::{Times, admit_age, admit_expiry, admit_start};
pub(crate) use types::is_never;
pub(crate) use verified::{HeaderFacts, Origin, Verified, keep, list};

/// What a check asks the host.
pub(crate) enum Question {
    Signature(OfSignature),
    Introspection(Asked),
    /// Nothing: it was told this, and the gate keeps it.
    Learned(Learned),
    Proof(Box<Shown>),
}
