//! One JWT verifier and policy gate, as pure functions.
//!
//! `decision = f(policy, documents so far, request, now)`: this crate has no
//! I/O, no clock and no randomness. A host moves bytes in, fetches the
//! documents that the gate asks for, and turns a [`Decision`] into its
//! framework's answer. The contract (order of checks, codes, limits) is
//! written down in `CONTRACT.md`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod algorithm;
mod case;
mod check;
mod claims;
mod code;
mod condition;
mod credential;
mod decision;
mod document;
mod explain;
mod forward;
mod gate;
mod hash;
mod inspect;
mod issuer;
mod jws;
mod key;
mod limits;
mod map;
mod memory;
mod policy;
mod prepared;
mod problem;
mod refusal;
mod request;
mod requirement;
mod revocation;
mod router;
mod scope;
mod target;
mod token_type;
mod uri;

pub mod json;

pub use algorithm::Algorithm;
pub use code::{Code, Status};
pub use decision::{Change, Decision, Denial, Grant, Principal};
pub use document::{DocumentStatus, Fetch, FetchKind, Outcome, Supplied};
pub use explain::{Step, Verdict};
pub use gate::Gate;
pub use inspect::{Inspection, inspect};
pub use jws::Jws;
pub use key::Keyring;
pub use limits::Limits;
pub use policy::{Forward, POLICY_SCHEMA, lint, policy_json};
pub use problem::{Problem, Severity};
pub use request::{Header, Request};
