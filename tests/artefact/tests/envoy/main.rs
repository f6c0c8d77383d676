//! The file in a real Envoy.

mod configuration;
mod decisions;
mod keys;
mod stage;
