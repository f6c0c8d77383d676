//! The gate through proxy-wasm 0.2.1: a filter for Envoy and Istio.
//!
//! The plugin's configuration is the policy. The ABI is spoken here without
//! an SDK: what the file imports and exports is then what it needs, the
//! headers of a request are read in place, and no status of the host and no
//! byte of a request can make it panic.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "elsewhere only tests use it")
)]

mod answer;
mod cookies;
mod pairs;

#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod filter;
#[cfg(target_arch = "wasm32")]
mod host;
