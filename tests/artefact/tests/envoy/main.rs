//! The file in a real Envoy.

mod answers;
mod configuration;
mod conformance;
mod decisions;
mod hostile;
mod identity;
mod keys;
mod metrics;
mod requests;
mod stage;
mod trap;
