//! What the tests of the built file share: where it is, a real Envoy with it,
//! and requests with the decisions that the native crate takes of them.

pub mod cases;
pub mod dist;
pub mod stage;
pub mod token;
pub mod yaml;
