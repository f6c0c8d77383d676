//! What the tests of the built file share: where it is, and requests with
//! the decisions that the native crate takes of them.

pub mod cases;
pub mod dist;
pub mod token;
