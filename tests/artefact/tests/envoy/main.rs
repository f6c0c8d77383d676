//! The file in a real Envoy.

mod answers;
mod configuration;
mod conformance;
mod decisions;
mod example;
mod hostile;
mod identity;
mod keys;
mod lifecycle;
mod metrics;
mod requests;
mod stage;
mod trap;
