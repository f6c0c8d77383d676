//! Tests of the module in a real Envoy.

mod answers;
mod configuration;
mod conformance;
mod crowd;
mod decisions;
mod edge;
mod example;
mod hostile;
mod identity;
mod keys;
mod lifecycle;
mod metrics;
mod requests;
mod seams;
mod stage;
mod trap;
