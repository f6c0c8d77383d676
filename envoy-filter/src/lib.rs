//! The gate through proxy-wasm 0.2.1: a filter for Envoy and Istio.
//!
//! This crate implements the ABI without an SDK. So the module imports and
//! exports only what it needs, it reads the headers of a request in place, and
//! no status of the host and no byte of a request can make it panic.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, unused_imports, reason = "elsewhere only tests use it")
)]

/// Maximum number of waiting requests that one callback answers. Envoy 1.40
/// nests the answers of one callback. Each takes about 3 KB of stack, and V8
/// has less than 1 MB: 250 answers work, and 312 crash the filter
/// (`tests/artefact/tests/envoy/edge.rs` measures the limit).
pub const ANSWERED_AT_ONCE: usize = 32;

mod address;
mod answer;
mod bucket;
mod comparison;
mod config;
mod fields;
mod jitter;
mod journal;
mod label;
mod pairs;
mod protobuf;
mod provider;
mod request;
mod rooms;
mod signature;
mod spread;
mod uptime;
mod waiting;

#[cfg(target_arch = "wasm32")]
mod comparisons;
#[cfg(target_arch = "wasm32")]
mod copies;
#[cfg(target_arch = "wasm32")]
mod document;
#[cfg(target_arch = "wasm32")]
mod documents;
#[cfg(target_arch = "wasm32")]
mod exchanges;
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
mod kept;
#[cfg(target_arch = "wasm32")]
mod metrics;
#[cfg(target_arch = "wasm32")]
mod native;
#[cfg(target_arch = "wasm32")]
mod pace;
#[cfg(target_arch = "wasm32")]
mod plugin;
#[cfg(target_arch = "wasm32")]
mod proofs;
#[cfg(target_arch = "wasm32")]
mod response;
#[cfg(target_arch = "wasm32")]
mod shadow;
#[cfg(target_arch = "wasm32")]
mod worker;
