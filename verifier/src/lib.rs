//! One JWT verifier and policy gate, as pure functions.
//!
//! `decision = f(policy, documents so far, request, now)`: this crate has no
//! I/O, no clock and no randomness. A host passes bytes and the time, fetches
//! the documents that the gate requests, and turns a [`Decision`] into a
//! response of its framework. `CONTRACT.md` specifies the order of checks, the
//! codes and the limits. `README.md` lists the rooms of this crate.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod base;
mod check;
mod decision;
mod documents;
mod gate;
mod jose;
mod model;
mod policy;
mod refusal;
mod request;
mod token;

pub mod json;

pub use base::{Limits, Problem, Severity};
pub use decision::{Answer, Change, Decision, Event, Grant, MatchedRule, Need, OtherPrincipal};
pub use documents::{DocumentStatus, Fetch, FetchKind, Outcome, Supplied};
pub use gate::Gate;
pub use jose::{Algorithm, HostKey, HostVerifies, Jws, Keyring, Native};
pub use model::Forward;
pub use policy::{
    Host, POLICY_SCHEMA, SignedPolicy, lint, open_signed, policy_digest, policy_json,
};
pub use refusal::{Code, Denial, Status, Step, Verdict};
pub use request::{Connection, Header, Request};
pub use token::{Inspection, Outgoing, Principal, Proof, Signature, Verification, inspect};
