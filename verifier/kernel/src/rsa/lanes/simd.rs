//! The lanes in WebAssembly SIMD. In a function that does not itself enable
//! `simd128` every intrinsic becomes a call (twenty times slower), so
//! every function here and above enables it. To call such a function is safe in WebAssembly: a
//! module is validated as a whole before it runs, so where it runs the host has SIMD.
//!
//! Loads and stores are those of [`crate::memory`].

use core::arch::wasm32::*;

use crate::memory::{read, write};

/// Four 32-bit lanes; or eight 16-bit ones, for [`dot_add`].
pub(crate) type Lanes = v128;

#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn splat(value: i32) -> Lanes {
    i32x4_splat(value)
}

/// Lane by lane `sum + a.low * b.low + a.high * b.high`.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn dot_add(sum: Lanes, a: Lanes, b: Lanes) -> Lanes {
    i32x4_add(sum, i32x4_dot_i16x8(a, b))
}

#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    i32x4_add(a, b)
}

#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn and(a: Lanes, b: [i32; 4]) -> Lanes {
    v128_and(a, i32x4(b[0], b[1], b[2], b[3]))
}

#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn shift_left<const BITS: u32>(a: Lanes) -> Lanes {
    i32x4_shl(a, BITS)
}

/// Arithmetic: towards minus infinity.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn shift_right<const BITS: u32>(a: Lanes) -> Lanes {
    i32x4_shr(a, BITS)
}

/// The last lane of `before` and the first three of `a`.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn one_up(before: Lanes, a: Lanes) -> Lanes {
    i32x4_shuffle::<3, 4, 5, 6>(before, a)
}

/// Four entries from `AT` on.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn load<const AT: usize, const N: usize>(from: &[i32; N]) -> Lanes {
    read::<Lanes, _, AT, N>(from)
}

/// Two digits from `AT` on, in every lane.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn load_pair<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    i32x4_splat(read::<i32, _, AT, N>(from))
}

/// Four digits from `AT` on, widened.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn load_digits<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    i32x4_extend_low_i16x8(i64x2(read::<i64, _, AT, N>(from), 0))
}

/// Eight digits from `AT` on; each lane must fit 16 bits.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn store_digits<const AT: usize, const N: usize>(to: &mut [i16; N], a: Lanes, b: Lanes) {
    write::<Lanes, _, AT, N>(to, i16x8_narrow_i32x4(a, b));
}

/// Each digit in the low half of an entry, with the one below it in the high half.
#[inline]
#[target_feature(enable = "simd128")]
pub(crate) fn store_pairs(to: &mut [i32; 8], digits: &[i16; 8], below: &[i16; 8]) {
    let (digits, below) = (
        read::<Lanes, _, 0, 8>(digits),
        read::<Lanes, _, 0, 8>(below),
    );
    let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(digits, below);
    let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(digits, below);
    write::<Lanes, _, 0, 8>(to, low);
    write::<Lanes, _, 4, 8>(to, high);
}
