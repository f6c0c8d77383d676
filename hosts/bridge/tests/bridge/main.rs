//! The bridge as a whole: its configuration, its keys, its tokens at a gate.

#[path = "../common/mod.rs"]
mod common;

mod api_keys;
mod config;
mod introspection;
mod keys;
mod machines;
mod openapi;
mod operation;
mod pairing;
mod revocation;
mod tokens;
