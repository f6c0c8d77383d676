//! The lanes in SSE2, which every x86-64 has, so nothing has to be enabled.
//!
//! Memory safety: as in `simd`, each load and store is at a constant place
//! within an array whose length is in its type.

use core::arch::x86_64::*;

/// Four 32-bit lanes; or eight 16-bit ones, for [`dot_add`].
pub(crate) type Lanes = __m128i;

#[inline]
pub(crate) fn splat(value: i32) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_set1_epi32(value) }
}

/// Lane by lane `sum + a.low * b.low + a.high * b.high`.
#[inline]
pub(crate) fn dot_add(sum: Lanes, a: Lanes, b: Lanes) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_add_epi32(sum, _mm_madd_epi16(a, b)) }
}

#[inline]
pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_add_epi32(a, b) }
}

#[inline]
pub(crate) fn and(a: Lanes, b: [i32; 4]) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_and_si128(a, _mm_setr_epi32(b[0], b[1], b[2], b[3])) }
}

#[inline]
pub(crate) fn shift_left<const BITS: u32>(a: Lanes) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_sll_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
}

/// Arithmetic: towards minus infinity.
#[inline]
pub(crate) fn shift_right<const BITS: u32>(a: Lanes) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_sra_epi32(a, _mm_cvtsi32_si128(BITS as i32)) }
}

/// The last lane of `before` and the first three of `a`.
#[inline]
pub(crate) fn one_up(before: Lanes, a: Lanes) -> Lanes {
    // SAFETY: x86-64 has SSE2.
    unsafe { _mm_or_si128(_mm_slli_si128::<4>(a), _mm_srli_si128::<12>(before)) }
}

/// Four entries from `AT` on.
#[inline]
pub(crate) fn load<const AT: usize, const N: usize>(from: &[i32; N]) -> Lanes {
    const { assert!(AT + 4 <= N) };
    // SAFETY: x86-64 has SSE2; the places lie within the arrays.
    unsafe { _mm_loadu_si128(from.as_ptr().add(AT).cast()) }
}

/// Two digits from `AT` on, in every lane.
#[inline]
pub(crate) fn load_pair<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    const { assert!(AT + 2 <= N) };
    // SAFETY: x86-64 has SSE2; the places lie within the arrays.
    unsafe { _mm_set1_epi32(from.as_ptr().add(AT).cast::<i32>().read_unaligned()) }
}

/// Four digits from `AT` on, widened.
#[inline]
pub(crate) fn load_digits<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    const { assert!(AT + 4 <= N) };
    // SAFETY: x86-64 has SSE2; the places lie within the arrays.
    unsafe {
        let digits = _mm_loadl_epi64(from.as_ptr().add(AT).cast());
        _mm_srai_epi32::<16>(_mm_unpacklo_epi16(digits, digits))
    }
}

/// Eight digits from `AT` on; each lane must fit 16 bits.
#[inline]
pub(crate) fn store_digits<const AT: usize, const N: usize>(to: &mut [i16; N], a: Lanes, b: Lanes) {
    const { assert!(AT + 8 <= N) };
    // SAFETY: x86-64 has SSE2; the places lie within the arrays.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().add(AT).cast(), _mm_packs_epi32(a, b)) }
}

/// Each digit in the low half of an entry, with the one below it in the high half.
#[inline]
pub(crate) fn store_pairs(to: &mut [i32; 8], digits: &[i16; 8], below: &[i16; 8]) {
    // SAFETY: x86-64 has SSE2; the places lie within the arrays.
    unsafe {
        let digits = _mm_loadu_si128(digits.as_ptr().cast());
        let below = _mm_loadu_si128(below.as_ptr().cast());
        let low = _mm_unpacklo_epi16(digits, below);
        let high = _mm_unpackhi_epi16(digits, below);
        _mm_storeu_si128(to.as_mut_ptr().cast(), low);
        _mm_storeu_si128(to.as_mut_ptr().add(4).cast(), high);
    }
}
