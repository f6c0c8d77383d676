//! The gate through proxy-wasm 0.2.1: a filter for Envoy and Istio.
//!
//! The ABI is spoken here without an SDK: what the file imports and exports
//! is then what it needs, the headers of a request are read in place, and no
//! status of the host and no byte of a request can make it panic.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, unused_imports, reason = "elsewhere only tests use it")
)]

/// Requests that waited and are answered in one callback, at most. Envoy 1.40
/// runs the answers of one callback within each other, each on about 3 KB of
/// stack, of which V8 has less than 1 MB: 250 are survived, and 312 end the
/// filter (`tests/artefact/tests/envoy/edge.rs` looks for it).
pub const ANSWERED_AT_ONCE: usize = 32;

mod address;
mod answer;
mod config;
mod fields;
mod jitter;
mod journal;
mod pairs;
mod request;
mod rooms;
mod spread;
mod uptime;
mod waiting;

#[cfg(target_arch = "wasm32")]
mod copies;
#[cfg(target_arch = "wasm32")]
mod document;
#[cfg(target_arch = "wasm32")]
mod documents;
#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(target_arch = "wasm32")]
mod forward;
#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(target_arch = "wasm32")]
mod identity;
#[cfg(target_arch = "wasm32")]
mod metrics;
#[cfg(target_arch = "wasm32")]
mod pace;
#[cfg(target_arch = "wasm32")]
mod plugin;
#[cfg(target_arch = "wasm32")]
mod response;
#[cfg(target_arch = "wasm32")]
mod worker;
