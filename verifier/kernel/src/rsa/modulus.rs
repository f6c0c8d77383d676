//! A modulus, and Barrett reduction by it.
//!
//! To reduce `c`, its quotient is estimated with a reciprocal computed once:
//! `q = c_high * mu`, where `mu = 2^(13 m) / n` and `c_high` are the digits of
//! `c` from `a` on. Of `q` only the columns from two below the point are computed, then of
//! `c - q * n` only the low columns: the remainder is smaller than `n`, so the upper columns
//! would cancel. Unlike in Montgomery's method no quotient digit depends on the one before, and
//! numbers need no conversion, which matters for e = 65537.
//!
//! **Bounds.** Let `n` have `bits` bits, B = 8192. Chosen are `m` with `13 m >=
//! 2 bits + 5`, `a` with `13 a <= bits - 6`, each as tight as possible, and a length
//! `L` with `13 L >= bits + 28`. With `|c| <= n^2` the quotient is wrong by less than
//! - 0.53 for the fraction that is dropped (balanced digits),
//! - `0.53 B^a / n <= 0.53 * 2^-5 < 0.02` for the digits of `c` below `a`,
//! - `c / B^m <= 2^-5 < 0.04` for the rounding of `mu`,
//! - `L D^2 / (B - 1) / B^2 < 0.03` for the columns never computed (D = 4272),
//!
//! so `|r| < 0.62 n`. The next product is below `n^2` again. `|q| < 2^bits + 1 <= 0.25
//! B^(L-2)`, `mu < 2^(bits + 18) <= 0.25 B^L` and `|r| < 0.25 B^L` fit their
//! digits, and `c < 2^(2 bits) <= 0.25 B^(a + L)` leaves at most `L` of `c_high`.

use alloc::vec;
use alloc::vec::Vec;

use crate::expected::expected;

use super::columns::{MARGIN, Pairs, SPAN, Sum, columns};
use super::digits::{
    BITS, bytes_from_words, digits_from_words, words_from_bytes, words_from_digits,
};
use super::reciprocal::{add, reciprocal};
use super::tile::TILE;
use super::{MODULUS_BITS_MAX, MODULUS_BITS_MIN};

/// Digits of the quotient below the point.
const GUARD: usize = 2;

pub(super) struct Modulus {
    bits: usize,
    bytes: Vec<u8>,
    /// `L`, the digits of every number below.
    length: usize,
    /// `a`, the lowest digit of a product that the quotient takes into account.
    lowest: usize,
    /// `m - a`, the column where the whole part of the quotient begins.
    point: usize,
    negated: Pairs,
    reciprocal: Pairs,
}

impl Modulus {
    /// From big-endian bytes without leading zeros; odd, within the limits.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MODULUS_BITS_MAX / 8 || bytes.last()? % 2 == 0 {
            return None;
        }
        let bits = bytes.len() * 8 - bytes.first()?.leading_zeros() as usize;
        if !(MODULUS_BITS_MIN..=MODULUS_BITS_MAX).contains(&bits) {
            return None;
        }
        let digit_bits = BITS as usize;
        let length = (bits + 28).div_ceil(digit_bits).next_multiple_of(TILE);
        let exponent = (2 * bits + 5).div_ceil(digit_bits);
        let lowest = (bits - 6) / digit_bits;

        let words = words_from_bytes(bytes);
        let mut digits = vec![0; length];
        digits_from_words(
            &reciprocal(&words, bits, exponent * digit_bits)?,
            &mut digits,
        );
        let reciprocal = Pairs::from_digits(&digits);
        digits_from_words(&words, &mut digits);
        digits.iter_mut().for_each(|digit| *digit = -*digit);
        let negated = Pairs::from_digits(&digits);

        let point = exponent - lowest;
        Some(Self {
            bits,
            bytes: bytes.into(),
            length,
            lowest,
            point,
            negated,
            reciprocal,
        })
    }

    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Big-endian, without leading zeros.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digits of every number here.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// `base^exponent`, both ends big-endian and as long as the modulus.
    /// `None` if the base has another length or is not below the modulus.
    pub(super) fn power(&self, base: &[u8], exponent: u32) -> Option<Vec<u8>> {
        if base.len() != self.bytes.len() || base >= self.bytes.as_slice() {
            return None;
        }
        let mut residue = Residue::new(self);
        let digits = expected(residue.value.get_mut(..self.length))?;
        digits_from_words(&words_from_bytes(base), digits);
        expected(residue.raise(self, exponent))?;
        expected(residue.bytes(self))
    }
}

/// A number modulo `n`, and buffers for a product and its reduction.
pub(super) struct Residue {
    /// `|value| < n`: `L` digits, then a margin of zeros.
    pub(super) value: Vec<i16>,
    pairs: Pairs,
    product: Vec<i16>,
    quotient: Vec<i16>,
}

impl Residue {
    pub(super) fn new(modulus: &Modulus) -> Self {
        let length = modulus.length;
        Self {
            value: vec![0; length + MARGIN],
            pairs: Pairs::zero(length),
            product: vec![0; 2 * length + MARGIN],
            quotient: vec![0; GUARD + length + MARGIN],
        }
    }

    /// To the power of `exponent`, which is not zero: squarings for every bit but
    /// the top one, a multiplication for every further bit that is set.
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn raise(&mut self, modulus: &Modulus, exponent: u32) -> Option<()> {
        let base = Pairs::from_digits(self.value.get(..modulus.length)?);
        for bit in (0..exponent.checked_ilog2()?).rev() {
            self.square(modulus)?;
            if exponent >> bit & 1 == 1 {
                self.multiply(modulus, &base)?;
            }
        }
        Some(())
    }

    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn square(&mut self, modulus: &Modulus) -> Option<()> {
        self.pairs.set(self.value.get(..modulus.length)?);
        let product = self.product.get_mut(..2 * modulus.length)?;
        columns(Sum::Square, &self.value, &self.pairs, 0, &[], product)?;
        self.reduce(modulus)
    }

    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn multiply(&mut self, modulus: &Modulus, factor: &Pairs) -> Option<()> {
        let product = self.product.get_mut(..2 * modulus.length)?;
        columns(Sum::Product, &self.value, factor, 0, &[], product)?;
        self.reduce(modulus)
    }

    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn reduce(&mut self, modulus: &Modulus) -> Option<()> {
        let length = modulus.length;
        let upper = self.product.get(modulus.lowest..)?;
        let whole = length.next_multiple_of(SPAN);
        let quotient = self.quotient.get_mut(..whole)?;
        let first = modulus.point - GUARD;
        columns(
            Sum::Product,
            upper,
            &modulus.reciprocal,
            first,
            &[],
            quotient,
        )?;

        let quotient = self.quotient.get(GUARD..)?;
        let lower = self.product.get(..whole)?;
        let value = self.value.get_mut(..whole)?;
        columns(Sum::Product, quotient, &modulus.negated, 0, lower, value)
    }

    /// Every digit computed on the way.
    #[cfg(any(test, feature = "check"))]
    pub(super) fn digits(&self) -> impl Iterator<Item = i16> {
        [&self.value, &self.product, &self.quotient]
            .into_iter()
            .flatten()
            .copied()
    }

    /// Big-endian, as long as the modulus.
    fn bytes(&self, modulus: &Modulus) -> Option<Vec<u8>> {
        let length = modulus.bytes.len();
        let mut words = vec![0; length.div_ceil(4) + 1];
        words_from_digits(&self.value, &mut words);
        if words.last()? >> 31 == 1 {
            add(&mut words, &words_from_bytes(&modulus.bytes));
        }
        Some(bytes_from_words(&words, length))
    }
}
