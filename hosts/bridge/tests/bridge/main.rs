//! The bridge as a whole: its configuration, its keys, its tokens at a gate.

#[path = "../common/mod.rs"]
mod common;

mod config;
mod exchange;
mod keys;
mod login;
mod machines;
mod operation;
mod token_exchange;
mod tokens;
