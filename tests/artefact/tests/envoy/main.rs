//! Tests of the module in a real Envoy.

mod answers;
mod api_keys;
mod certificates;
mod configuration;
mod conformance;
mod crowd;
mod decisions;
mod edge;
mod example;
mod hostile;
mod identity;
mod introspection;
mod keys;
mod lifecycle;
mod metrics;
mod native;
mod observe;
mod proofs;
mod requests;
mod seams;
mod shadow;
mod stage;
mod trap;
