//! Shared code of the tests of the built module: its path, and requests with
//! the decisions of the native crate.

pub mod cases;
pub mod dist;
pub mod token;
