//! Vectors of four 32-bit or eight 16-bit lanes, and the few operations that the kernel needs.
//! There are three implementations with the same functions: `simd` for WebAssembly, `sse2` for
//! optimised builds on x86-64, `portable` for everything else. The portable one panics on
//! overflow in a debug build, so a debug build's tests also check the bounds.

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
