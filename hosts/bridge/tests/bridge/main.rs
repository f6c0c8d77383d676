//! The bridge as a whole: its configuration, its keys, its tokens at a gate.

#[path = "../common/mod.rs"]
mod common;

mod config;
mod keys;
mod machines;
mod operation;
mod pairing;
mod tokens;
