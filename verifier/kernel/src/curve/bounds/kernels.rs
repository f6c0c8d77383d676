//! How the three kernels multiply, over ranges.

use super::interval::{Column, Kernel, Range, Ranges, fits, largest, plus, shift, times};
use std::vec;
use std::vec::Vec;

#[derive(Clone, Copy)]
pub(super) struct P256;

impl Kernel for P256 {
    const N: usize = 9;
    const BITS: u32 = 29;

    fn reduce(columns: &[Column], value: Range, c: Option<(&Ranges, i128)>) -> Ranges {
        // Mirrors `p256::field::Reduction`: four shifted quotients a column.
        let quotients: i128 = (1 << 29) * ((1 << 9) + (1 << 18) + (1 << 21) + (1 << 24));
        let mut carry: i128 = 0;
        for (k, (_, sum)) in columns.iter().enumerate() {
            let added = match c {
                Some((c, m)) if k >= 9 => (m * largest(c.limbs[k - 9])).abs(),
                _ => 0,
            };
            let terms = sum + added + quotients + carry;
            fits(terms);
            carry = (terms >> 29) + 1;
        }
        // T / 2^261 + [0, p), in units of 2^232.
        let value = plus(shift(value, 29), (0, (1 << 24) + 1));
        let Some((c, m)) = c else {
            return Ranges::proper(9, 29, value);
        };
        let value = plus(value, times(c.value, (m, m)));
        let fold = shift(value, 24);
        let mut ranges = Ranges::proper(9, 29, (0, (1 << 24) - 1));
        let mut add = |limb: usize, factor: i128| {
            ranges.limbs[limb] = plus(ranges.limbs[limb], times(fold, (factor, factor)));
        };
        add(7, 1 << 21);
        add(6, -(1 << 18));
        add(3, -(1 << 9));
        add(0, 1);
        ranges.value = plus(ranges.limbs[8], shift(ranges.limbs[7], 29));
        ranges.value.1 += 2;
        ranges.value.0 -= 1;
        ranges
    }

    fn carried(limbs: &[Range]) -> Option<Vec<Range>> {
        let part = |i: usize| {
            let kept = if i == 8 { limbs[8] } else { (0, (1 << 29) - 1) };
            if i == 0 {
                kept
            } else {
                plus(kept, shift(limbs[i - 1], 29))
            }
        };
        Some((0..9).map(part).collect())
    }
}

#[derive(Clone, Copy)]
pub(super) struct Ed25519;

impl Kernel for Ed25519 {
    const N: usize = 9;
    const BITS: u32 = 29;

    fn reduce(columns: &[Column], _: Range, c: Option<(&Ranges, i128)>) -> Ranges {
        assert!(c.is_none());
        let mut carry = (0, 0);
        let mut step = |(range, sum): Column, folded: Range| {
            let folded = times(folded, (1216, 1216));
            fits(sum + largest(folded) + largest(carry));
            let column = plus(plus(range, folded), carry);
            carry = shift(column, 29);
            (column, carry)
        };
        let limb = (0, (1 << 29) - 1);
        let mut above = (0, 0);
        for &column in &columns[8..] {
            above = step(column, (0, 0)).1;
        }
        // The first of the lower columns starts without a carry; one more is no harm.
        for &column in &columns[..8] {
            step(column, limb);
        }
        let (_, fold) = step((limb, limb.1), above);
        let mut limbs = vec![limb; 9];
        limbs[0] = plus(limb, times(fold, (1216, 1216)));
        Ranges {
            limbs,
            value: (0, 0),
        }
    }

    fn carried(limbs: &[Range]) -> Option<Vec<Range>> {
        let part = |i: usize| {
            let factor = if i == 0 { 1216 } else { 1 };
            plus(
                (0, (1 << 29) - 1),
                times(shift(limbs[(i + 8) % 9], 29), (factor, factor)),
            )
        };
        Some((0..9).map(part).collect())
    }
}

/// The general kernel, for a prime of so many bits.
#[derive(Clone, Copy)]
pub(super) struct Rows<const N: usize, const PRIME: u32>;

impl<const N: usize, const PRIME: u32> Kernel for Rows<N, PRIME> {
    const N: usize = N;
    const BITS: u32 = 28;

    fn reduce(columns: &[Column], value: Range, c: Option<(&Ranges, i128)>) -> Ranges {
        // A column is complete when N rows have added a product of limbs and
        // a quotient times a limb of the prime; then come `m * c` and a carry.
        let product = columns.iter().map(|&(_, sum)| sum).max().unwrap();
        let added = c.map_or(0, |(c, m)| {
            c.limbs
                .iter()
                .map(|&c| (m * largest(c)).abs())
                .max()
                .unwrap()
        });
        let terms = product + ((N as i128) << 56) + added;
        fits(terms + (terms >> 27));
        // T / 2^(28 N) + [0, p), in units of the last limb.
        let unit = 28 * (N as u32 - 1);
        let prime = 1 << (PRIME - unit);
        let value = plus(shift(value, 28), (0, prime + 1));
        let value = c.map_or(value, |(c, m)| plus(value, times(c.value, (m, m))));
        Ranges::proper(N, 28, value)
    }

    fn carried(_: &[Range]) -> Option<Vec<Range>> {
        None
    }
}
