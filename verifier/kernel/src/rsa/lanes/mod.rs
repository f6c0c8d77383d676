//! Four 32-bit lanes, or eight of 16 bits, and the few operations that the
//! kernel needs. Three bodies of one face: `simd` for WebAssembly, `sse2` for
//! optimised builds on x86-64, `portable` for everything else. The portable one
//! panics on overflow where checks are on, so running the tests natively in a
//! debug build also tests every bound that is claimed.

#[cfg(target_arch = "wasm32")]
mod simd;
#[cfg(target_arch = "wasm32")]
pub(super) use simd::*;

#[cfg(all(target_arch = "x86_64", not(debug_assertions)))]
mod sse2;
#[cfg(all(target_arch = "x86_64", not(debug_assertions)))]
pub(super) use sse2::*;

#[cfg(not(any(
    target_arch = "wasm32",
    all(target_arch = "x86_64", not(debug_assertions))
)))]
mod portable;
#[cfg(not(any(
    target_arch = "wasm32",
    all(target_arch = "x86_64", not(debug_assertions))
)))]
pub(super) use portable::*;
