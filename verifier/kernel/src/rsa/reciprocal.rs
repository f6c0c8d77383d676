//! `2^k / n`, by long division in base `2^32` (Knuth, volume 2, 4.3.1,
//! algorithm D).
//!
//! The dividend is a power of two, so only its length is an argument. With
//! `n` shifted until its top bit is set, the quotient of the two upper words
//! of the remainder by the top word of `n` is never below the true quotient
//! word and at most two above it. It is multiplied and subtracted, and where
//! the remainder went negative, `n` is added back, at most twice. For 2048
//! bits this is 66 words of 64 steps, some 10 µs, once for each key.

use alloc::vec;
use alloc::vec::Vec;

use crate::expected::expected;

/// The whole part of `2^exponent / n`, least significant word first. `n` has `bits` bits,
/// `bits <= exponent`, and is not a power of two.
pub(super) fn reciprocal(n: &[u32], bits: usize, exponent: usize) -> Option<Vec<u32>> {
    let length = bits.div_ceil(32);
    let divisor = shifted_left(expected(n.get(..length))?, length * 32 - bits);
    let top = u64::from(*expected(divisor.last())?);

    // 2^(bits - 1 + 32 * count) / n, where the remainder starts as the highest
    // power of two below n; its lower bits are cut off in the end.
    let count = expected((exponent + 1).checked_sub(bits))?.div_ceil(32);
    let excess = expected((bits - 1 + 32 * count).checked_sub(exponent))?;
    let mut remainder = vec![0; length + count];
    *expected(remainder.last_mut())? = 1 << 31;
    let mut quotient = vec![0; count];
    for (at, word) in quotient.iter_mut().enumerate().rev() {
        let window = expected(remainder.get_mut(at..=at + length))?;
        let [second, first] = *expected(window.last_chunk())?;
        let upper = u64::from(first) << 32 | u64::from(second);
        let mut estimate = u32::try_from(expected(upper.checked_div(top))?).unwrap_or(u32::MAX);
        let mut negative = subtract_product(window, &divisor, estimate);
        while negative {
            estimate = estimate.wrapping_sub(1);
            negative = !add(window, &divisor);
        }
        *word = estimate;
    }
    Some(shifted_right(&quotient, excess))
}

/// `window -= divisor * factor`; true if that is negative (then modulo the
/// window's size).
fn subtract_product(window: &mut [u32], divisor: &[u32], factor: u32) -> bool {
    let mut borrow = 0_u64;
    for (word, digit) in window.iter_mut().zip(divisor.iter().chain(&[0])) {
        // at most (2^32 - 1)^2 + 2 * (2^32 - 1) < 2^64
        let product = u64::from(*digit) * u64::from(factor) + borrow;
        let (rest, below) = word.overflowing_sub(product as u32);
        *word = rest;
        borrow = (product >> 32) + u64::from(below);
    }
    borrow != 0
}

/// `window += divisor`; true if it overflowed.
pub(super) fn add(window: &mut [u32], divisor: &[u32]) -> bool {
    let mut carry = 0;
    for (word, digit) in window.iter_mut().zip(divisor.iter().chain(&[0])) {
        let sum = u64::from(*word) + u64::from(*digit) + carry;
        *word = sum as u32;
        carry = sum >> 32;
    }
    carry != 0
}

/// By fewer than 32 bits, into as many words: the top bits must be zero.
fn shifted_left(words: &[u32], bits: usize) -> Vec<u32> {
    let mut carry = 0;
    let shift = |word: &u32| {
        let wide = u64::from(*word) << bits | carry;
        carry = wide >> 32;
        wide as u32
    };
    let shifted = words.iter().map(shift).collect();
    debug_assert_eq!(carry, 0, "the top bits are not zero");
    shifted
}

/// By fewer than 32 bits.
fn shifted_right(words: &[u32], bits: usize) -> Vec<u32> {
    let above = words.iter().skip(1).chain(&[0]);
    let shift =
        |(word, above): (&u32, &u32)| ((u64::from(*above) << 32 | u64::from(*word)) >> bits) as u32;
    words.iter().zip(above).map(shift).collect()
}
