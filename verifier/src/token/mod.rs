//! Verified tokens: their claims in the terms of the policy, with types, times
//! and scopes, and the tokens that the gate remembers. Uses `base`, `json`,
//! `refusal`, `jose`, `model` and `documents`.

mod forward;
mod inspect;
mod mapped;
mod memory;
mod principal;
pub(crate) mod scope;
mod times;
mod types;
mod verified;

pub use inspect::{Inspection, inspect};
pub(crate) use memory::Memory;
pub use principal::Principal;
pub(crate) use times::{Times, admit_age, admit_expiry, admit_start};
pub(crate) use verified::{HeaderFacts, Verified, keep, list};
