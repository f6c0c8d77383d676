//! The arithmetic of public-key verification, at native speed in WebAssembly:
//! RSA ([`rsa`]), ECDSA on the NIST curves and Ed25519 ([`curve`]); and what else
//! goes over every byte of a token ([`hash`], [`bytes`]).
//!
//! Everything that passes here is public, so variable time is right here and
//! nowhere else: this crate must never see a private key. Only [`hash`], for HMAC,
//! is handed secrets, and takes the same time for all of one length. `unsafe` is only in
//! the loads and stores of vectors.
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
