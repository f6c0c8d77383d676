//! The lanes in SSE2, which every x86-64 has, so no target feature has to be enabled.
//!
//! Loads and stores are those of [`crate::memory`].
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::memory::{read, write};

/// A call of an intrinsic that takes and gives values only. Its arguments are names, so that
/// nothing else is within the `unsafe`.
macro_rules! sse2 {
    ($intrinsic:ident $(::<$constant:literal>)? ($($value:ident),*)) => {
        // SAFETY: every x86-64 has SSE2, which is all that such an intrinsic asks for.
        unsafe {
            $intrinsic$(::<$constant>)?($($value),*)
        }
    };
}

/// Four 32-bit lanes; or eight 16-bit ones, for [`dot_add`].
pub(crate) type Lanes = __m128i;

#[inline]
pub(crate) fn splat(value: i32) -> Lanes {
    sse2!(_mm_set1_epi32(value))
}

/// Lane by lane `sum + a.low * b.low + a.high * b.high`.
#[inline]
pub(crate) fn dot_add(sum: Lanes, a: Lanes, b: Lanes) -> Lanes {
    add(sum, sse2!(_mm_madd_epi16(a, b)))
}

#[inline]
pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    sse2!(_mm_add_epi32(a, b))
}

#[inline]
pub(crate) fn and(a: Lanes, b: [i32; 4]) -> Lanes {
    let [b0, b1, b2, b3] = b;
    let b = sse2!(_mm_setr_epi32(b0, b1, b2, b3));
    sse2!(_mm_and_si128(a, b))
}

#[inline]
pub(crate) fn shift_left<const BITS: u32>(a: Lanes) -> Lanes {
    let bits = BITS as i32;
    let bits = sse2!(_mm_cvtsi32_si128(bits));
    sse2!(_mm_sll_epi32(a, bits))
}

/// Arithmetic: towards minus infinity.
#[inline]
pub(crate) fn shift_right<const BITS: u32>(a: Lanes) -> Lanes {
    let bits = BITS as i32;
    let bits = sse2!(_mm_cvtsi32_si128(bits));
    sse2!(_mm_sra_epi32(a, bits))
}

/// The last lane of `before` and the first three of `a`.
#[inline]
pub(crate) fn one_up(before: Lanes, a: Lanes) -> Lanes {
    let (a, last) = (
        sse2!(_mm_slli_si128::<4>(a)),
        sse2!(_mm_srli_si128::<12>(before)),
    );
    sse2!(_mm_or_si128(a, last))
}

/// Four entries from `AT` on.
#[inline]
pub(crate) fn load<const AT: usize, const N: usize>(from: &[i32; N]) -> Lanes {
    read::<Lanes, _, AT, N>(from)
}

/// Two digits from `AT` on, in every lane.
#[inline]
pub(crate) fn load_pair<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    splat(read::<i32, _, AT, N>(from))
}

/// Four digits from `AT` on, widened.
#[inline]
pub(crate) fn load_digits<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    let digits = read::<i64, _, AT, N>(from);
    let digits = sse2!(_mm_cvtsi64_si128(digits));
    let doubled = sse2!(_mm_unpacklo_epi16(digits, digits));
    sse2!(_mm_srai_epi32::<16>(doubled))
}

/// Eight digits from `AT` on; each lane must fit 16 bits.
#[inline]
pub(crate) fn store_digits<const AT: usize, const N: usize>(to: &mut [i16; N], a: Lanes, b: Lanes) {
    write::<Lanes, _, AT, N>(to, sse2!(_mm_packs_epi32(a, b)));
}

/// Each digit in the low half of an entry, with the one below it in the high half.
#[inline]
pub(crate) fn store_pairs(to: &mut [i32; 8], digits: &[i16; 8], below: &[i16; 8]) {
    let (digits, below) = (
        read::<Lanes, _, 0, 8>(digits),
        read::<Lanes, _, 0, 8>(below),
    );
    write::<Lanes, _, 0, 8>(to, sse2!(_mm_unpacklo_epi16(digits, below)));
    write::<Lanes, _, 4, 8>(to, sse2!(_mm_unpackhi_epi16(digits, below)));
}
