//! The bridge as a whole: its configuration, its keys, its tokens at a gate.

#[path = "../common/mod.rs"]
mod common;

mod api_keys;
mod config;
mod exchange;
mod introspection;
mod keys;
mod login;
mod machines;
mod openapi;
mod operation;
mod organisations;
mod pairing;
mod revocation;
mod rfc9700;
mod schemathesis;
mod token_exchange;
mod tokens;
mod whole;
