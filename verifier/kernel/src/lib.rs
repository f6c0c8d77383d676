//! The arithmetic of public-key verification, written for WebAssembly: RSA ([`rsa`]), ECDSA
//! on the NIST curves and Ed25519 ([`curve`]). Beside it the operations that read every byte
//! of a token: SHA-2 ([`hash`]), and base64url, search and comparison ([`bytes`]).
//!
//! All input is public, so the time may depend on it: never give this crate a private key.
//! The exception is [`hash`], which is given the secrets of HMAC: its time depends on lengths
//! only.
//!
//! Nothing panics in a release build. A case that only a bug could cause is an assertion in
//! debug builds (`expected.rs`). `unsafe` is in two files: vectors in and out of arrays
//! (`memory.rs`) and the calls of SSE2 (`rsa/lanes/sse2.rs`).
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bytes;
pub mod curve;
mod expected;
pub mod hash;
#[cfg(any(
    target_arch = "wasm32",
    all(target_arch = "x86_64", not(debug_assertions))
))]
mod memory;
pub mod rsa;
