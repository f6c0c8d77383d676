//! The contract as vectors, and everything that holds a host to them.
//!
//! A *vector* is a policy and a timeline of steps, each with what the gate has
//! to answer ([`vector`]). A *host* is anything that answers [`protocol`]
//! commands ([`host`]): the crate itself ([`native`]), the sealed component
//! ([`sealed`]), a child process that speaks JSON lines. [`run`] plays one to
//! the other. [`generator`] writes the vectors, with fixed keys.

pub mod corpora;
pub mod files;
pub mod generator;
pub mod host;
pub mod native;
pub mod protocol;
pub mod run;
#[cfg(feature = "wasmtime")]
pub mod sealed;
pub mod vector;
