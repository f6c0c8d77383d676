//! Numbers as balanced digits: `sum of digit[i] * 8192^i`, least significant first.
//!
//! A digit has thirteen bits: products of two 16-bit lanes are added in 32 bits, and with 13 bits
//! a hundred of them fit. Digits are balanced, that is in `-4096..4096` rather than
//! `0..8192`: products are a quarter of the size, and negative numbers need no sign. The digits
//! that `columns` computes can be a little larger (`|digit| <= 4272`), so a number has several
//! representations. Two facts are enough. The digits below digit `k` have a value of less than
//! `0.53 * 8192^k`; hence a number whose absolute value is below `0.25 * 8192^k` has only zeros
//! from digit `k` on, and its digits are right if they are right modulo `8192^k`.

use alloc::vec;
use alloc::vec::Vec;

/// Bits of a digit.
pub(super) const BITS: u32 = 13;

/// Big-endian bytes to 32-bit words, least significant first.
pub(super) fn words_from_bytes(bytes: &[u8]) -> Vec<u32> {
    let (top, words) = bytes.as_rchunks();
    let top = top
        .iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte));
    words
        .iter()
        .rev()
        .map(|word| u32::from_be_bytes(*word))
        .chain([top])
        .collect()
}

/// The `length` big-endian bytes of a number that fits them, words that are missing being zero.
pub(super) fn bytes_from_words(words: &[u32], length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let (top, rest) = bytes.as_rchunks_mut();
    let mut words = words.iter();
    for (bytes, word) in rest.iter_mut().rev().zip(&mut words) {
        *bytes = word.to_be_bytes();
    }
    let word = words.next().copied().unwrap_or(0);
    debug_assert!(
        u64::from(word) >> (8 * top.len()) == 0 && words.all(|word| *word == 0),
        "the number does not fit"
    );
    for (byte, part) in top.iter_mut().rev().zip(word.to_le_bytes()) {
        *byte = part;
    }
    bytes
}

/// Fills `digits`, which must have room for two bits more than the number has: digits above
/// it become zero.
pub(super) fn digits_from_words(words: &[u32], digits: &mut [i16]) {
    let mut words = words.iter();
    let (mut bits, mut count) = (0_u64, 0);
    let mut carry = 0;
    for digit in digits {
        if count < BITS {
            bits |= u64::from(words.next().copied().unwrap_or(0)) << count;
            count += 32;
        }
        let value = (bits & ((1 << BITS) - 1)) as i32 + carry;
        bits >>= BITS;
        count -= BITS;
        carry = (value + (1 << (BITS - 1))) >> BITS;
        *digit = (value - (carry << BITS)) as i16;
    }
    debug_assert!(
        bits == 0 && carry == 0 && words.all(|word| *word == 0),
        "the number does not fit"
    );
}

/// The number as words in two's complement, of which the top bit is the sign. It must fit;
/// digits that are missing are zero.
pub(super) fn words_from_digits(digits: &[i16], words: &mut [u32]) {
    let mut digits = digits.iter();
    let (mut bits, mut count) = (0_i64, 0);
    for word in words {
        while count < 32 {
            bits += i64::from(digits.next().copied().unwrap_or(0)) << count;
            count += BITS;
        }
        *word = bits as u32;
        bits >>= 32;
        count -= 32;
    }
    debug_assert!(digits.all(|digit| *digit == 0), "the number does not fit");
}

/// In a debug build each of these stops at an assertion; in a release build it ends, whatever
/// it gives.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "the number does not fit"))]
    fn bytes_that_are_too_few_stop_a_debug_build() {
        bytes_from_words(&[0, 1], 4);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "the number does not fit"))]
    fn digits_that_are_too_few_stop_a_debug_build() {
        digits_from_words(&[u32::MAX], &mut [0; 2]);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "the number does not fit"))]
    fn words_that_are_too_few_stop_a_debug_build() {
        words_from_digits(&[0, 0, 0, 0, 0, 1], &mut [0]);
    }
}
