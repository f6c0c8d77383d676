//! The vectors of the contract, and the runner that plays them on a host.
//!
//! A *vector* is a policy and a timeline of steps, each with the expected
//! answer of the gate ([`vector`]). A *host* answers [`protocol`] commands
//! ([`host`]): it is the crate itself ([`native`]), the sealed component
//! ([`sealed`]), or a child process that uses JSON lines. [`run`] plays a
//! vector on a host. [`generator`] writes the vectors with fixed keys.

pub mod corpora;
pub mod cryptography;
pub mod files;
pub mod generator;
pub mod host;
pub mod native;
pub mod operation;
pub mod proofs;
pub mod protocol;
pub mod run;
pub mod scene;
#[cfg(feature = "wasmtime")]
pub mod sealed;
pub mod vector;
