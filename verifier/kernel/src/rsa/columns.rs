//! Products of digits, column by column.
//!
//! Column `k` of a product is the sum of `a[i] * b[k - i]`; the digits `a[i]` are called rows.
//! Barrett reduction needs ranges of columns: all columns of the square, the upper half of
//! `c * mu`, the lower half of `c - q * n`. [`columns`] computes 32 columns at a time, as two
//! adjacent [`Tile`]s: most rows contribute to both tiles and are loaded once. It decides which
//! rows contribute to which tile, and propagates carries. In a square the products of the rows
//! `i < k0 / 2` are computed once and doubled; then come the products in the middle, where `i`
//! and `k - i` are both at least `k0 / 2`.
//!
//! The other operand `b` is stored as [`Pairs`]: entry `m` is `(b[m], b[m - 1])`,
//! so that one unaligned load has the digits for two rows and any four columns.
//!
//! **Written for the compilers.** The first two points change no result, only the speed. A test
//! of the compiled module counts the instructions (`tests/artefact/tests/kernel.rs`); the
//! measurements are in the README of this crate.
//! - `at` is a `u16` so that LLVM cannot see how the address advances: otherwise it computes
//!   each address by an addition of its own instead of an offset in the load.
//! - V8 orders the instructions of a block so that it loads everything first, and then has too
//!   few registers. A branch on which the sums are used ends the block. So there is one after
//!   every eight products of vectors, taken for a value that `at` never has ([`NEVER`]). It leaves
//!   the loop and not the function, which takes fewer instructions.
//! - One loop over two tiles is faster than one tile after the other, and than one tile of
//!   eight vectors.

use alloc::vec;
use alloc::vec::Vec;
use core::iter;

use crate::expected::expected;

use super::lanes::store_pairs;
use super::tile::{Carry, STEP, STEPS, TILE, Tile};

/// Zeros that must follow the digits of the operand `a`.
pub(super) const MARGIN: usize = 48;
/// Columns that are computed at once; their number must be a multiple of it.
pub(super) const SPAN: usize = 2 * TILE;
/// Pairs that are multiplied with eight rows in a span.
const WINDOW: usize = SPAN + 6;
/// Values that `at` never has, as an operand has some 700 pairs: see the head of this file.
const NEVER: [u16; 3] = [0xfff1, 0xfff2, 0xfff3];

/// An operand as pairs of neighbouring digits, with zeros before and after.
pub(super) struct Pairs(Vec<i32>);

/// Zeros before and after the pairs. A step begins at most 31 rows past the first column, and its
/// window six entries before; its first row is at most `length` before the first of 32 columns.
const BELOW: usize = 48;
const ABOVE: usize = 32;

impl Pairs {
    pub(super) fn zero(length: usize) -> Self {
        Self(vec![0; BELOW + length + ABOVE])
    }

    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn from_digits(digits: &[i16]) -> Self {
        let mut pairs = Self::zero(digits.len());
        pairs.set(digits);
        pairs
    }

    fn length(&self) -> usize {
        self.0.len().saturating_sub(BELOW + ABOVE)
    }

    #[inline]
    fn window<const N: usize>(&self, at: u16) -> Option<&[i32; N]> {
        let at = usize::from(at);
        expected(self.0.get(at..at + N))?.first_chunk()
    }

    /// `digits` must be as many as at creation.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn set(&mut self, digits: &[i16]) {
        debug_assert_eq!(digits.len(), self.length());
        debug_assert!(digits.len().is_multiple_of(8) && !digits.is_empty());
        let entries = self.0.get_mut(BELOW..).unwrap_or_default();
        let entries = entries.as_chunks_mut().0;
        // The digits shifted by one, so that each vector of them is one load.
        let mut lowest = [0; 8];
        lowest
            .iter_mut()
            .skip(1)
            .zip(digits)
            .for_each(|(to, digit)| *to = *digit);
        let higher = digits.get(7..).unwrap_or_default().as_chunks().0;
        let below = iter::once(&lowest).chain(higher);
        for ((entries, digits), below) in entries.iter_mut().zip(digits.as_chunks().0).zip(below) {
            store_pairs(entries, digits, below);
        }
        let entry = self.0.get_mut(BELOW + digits.len());
        if let Some((entry, last)) = expected(entry.zip(digits.last())) {
            *entry = i32::from(*last) << 16;
        }
    }
}

/// What is added up in each column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// `rows * pairs`
    Product,
    /// `rows * rows`, where `pairs` holds the same digits
    Square,
}

/// Columns `first..first + out.len()` of a product, plus `addend`, as digits.
/// A carry out of the last column is dropped. `None` if the operands are
/// shorter than the columns need, which the callers' lengths exclude.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
#[inline(never)]
pub(super) fn columns(
    sum: Sum,
    rows: &[i16],
    pairs: &Pairs,
    first: usize,
    addend: &[i16],
    out: &mut [i16],
) -> Option<()> {
    let length = pairs.length();
    debug_assert!(rows.len() >= length + MARGIN && out.len().is_multiple_of(SPAN));
    debug_assert!(addend.is_empty() || addend.len() == out.len());
    if rows.len() < length + MARGIN {
        return None;
    }
    let mut addend = addend.as_chunks().0.iter();
    let mut carry = Carry::new();
    for (number, out) in out.as_chunks_mut::<SPAN>().0.iter_mut().enumerate() {
        let k0 = first + number * SPAN;
        let (mut left, mut right) = (Tile::new(addend.next()), Tile::new(addend.next()));

        // The rows [row, end) contribute to all of these columns; those from `last` on to a part.
        let mut row = k0.saturating_sub(length);
        let last = if sum == Sum::Square { k0 / 2 } else { k0 };
        let finish = last < length && last.wrapping_sub(row) % STEP == 0;
        let end = if finish { last } else { length.min(k0 + SPAN) };

        if k0 >= length && row + SPAN <= end {
            let at = (BELOW + length) as u16;
            let (near, far) = (rows.get(row..)?, rows.get(row + TILE..)?);
            start(&mut left, near.first_chunk()?, pairs, at - 12);
            steps(&mut left, far.get(..TILE)?, pairs, at - 20);
            start(&mut right, far.first_chunk()?, pairs, at - 12);
            row += SPAN;
        }
        let count = end.saturating_sub(row).div_ceil(STEP);
        let common = rows.get(row..)?.as_chunks().0.get(..count)?;
        let mut at = u16::try_from((BELOW + k0).checked_sub(row + 6)?).ok()?;
        for (number, common) in common.chunks(STEPS).enumerate() {
            if number > 0 {
                left.fold();
                right.fold();
            }
            for rows in common {
                let Some(window) = pairs.window::<WINDOW>(at) else {
                    break;
                };
                left.step::<0, 4>(rows, window.get(2..)?.first_chunk()?);
                if at == NEVER[0] {
                    break;
                }
                right.step::<0, 4>(rows, window.get(18..)?.first_chunk()?);
                if at == NEVER[1] {
                    break;
                }
                left.step::<2, 6>(rows, window.get(0..)?.first_chunk()?);
                if at == NEVER[2] {
                    break;
                }
                right.step::<2, 6>(rows, window.get(16..)?.first_chunk()?);
                at = at.wrapping_sub(STEP as u16);
            }
        }
        if finish {
            let at = u16::try_from(BELOW + k0 - last).ok()?;
            let square = sum == Sum::Square;
            // These rows contribute to all of the right tile; in a square half of them twice.
            let more = if square { TILE / 2 } else { TILE };
            let (near, far) = (rows.get(last..)?, rows.get(last + more..)?);
            steps(&mut right, near.get(..more)?, pairs, at + 12);
            if square {
                left.fold_double();
                right.fold_double();
            }
            finish_with(&mut left, near.first_chunk()?, pairs, at);
            finish_with(
                &mut right,
                far.first_chunk()?,
                pairs,
                at + (TILE - more) as u16,
            );
        }
        left.fold();
        right.fold();
        let (low, high) = out.split_at_mut(TILE);
        carry.digits(&left, low.first_chunk_mut()?);
        carry.digits(&right, high.first_chunk_mut()?);
    }
    Some(())
}

/// The first sixteen rows of a tile, where the other operand ends.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn start(tile: &mut Tile, rows: &[i16; TILE], pairs: &Pairs, at: u16) {
    if let Some((rows, window)) = rows.first_chunk().zip(pairs.window(at)) {
        tile.start(rows, window);
    }
    if let Some((rows, window)) = rows.last_chunk().zip(pairs.window(at - 2)) {
        tile.start(rows, window);
    }
}

/// Whole steps of one tile.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn steps(tile: &mut Tile, rows: &[i16], pairs: &Pairs, mut at: u16) {
    for rows in rows.as_chunks().0 {
        let Some(window) = pairs.window(at) else {
            break;
        };
        tile.step::<0, 4>(rows, window);
        let Some(window) = pairs.window(at.wrapping_sub(2)) else {
            break;
        };
        tile.step::<2, 6>(rows, window);
        at = at.wrapping_sub(STEP as u16);
    }
}

/// The last sixteen rows of a tile, where the other operand begins.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn finish_with(tile: &mut Tile, rows: &[i16; TILE], pairs: &Pairs, at: u16) {
    if let Some((rows, window)) = rows.first_chunk().zip(pairs.window(at)) {
        tile.finish(rows, window, [0xffff, -1, -1, -1]);
    }
    if let Some((rows, window)) = rows.last_chunk().zip(pairs.window(at - 2)) {
        tile.finish(rows, window, [0, 0, 0xffff, -1]);
    }
}

/// In a debug build each of these stops at an assertion; in a release build it ends, whatever
/// it gives.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "a case that cannot occur"))]
    fn a_window_beyond_the_pairs_stops_a_debug_build() {
        let mut tile = Tile::new(None);
        steps(&mut tile, &[1; STEP], &Pairs::zero(TILE), 1000);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "left == right"))]
    fn digits_of_another_length_stop_a_debug_build() {
        Pairs::zero(2 * TILE).set(&[1; TILE]);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "rows.len()"))]
    fn rows_without_a_margin_stop_a_debug_build() {
        let pairs = Pairs::zero(SPAN);
        let mut out = [0; SPAN];
        let done = columns(Sum::Product, &[0; SPAN], &pairs, 0, &[], &mut out);
        assert_eq!(done, None);
    }
}
