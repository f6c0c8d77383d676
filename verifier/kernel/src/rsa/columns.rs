//! Products of rows of digits, by columns.
//!
//! Column `k` of a product is the sum of `a[i] * b[k - i]`. All that Barrett's
//! step needs is a run of columns: the whole square, the upper half of `c * mu`,
//! the lower half of `c - q * n`. [`columns`] walks over them sixteen at a time,
//! decides which rows reach them, hands these to [`Tile`], and passes carries on.
//! A square takes the columns from the rows `i < k0 / 2` twice, and then the
//! triangle in the middle, where `i` and `k - i` are both at least `k0 / 2`.
//!
//! The other operand `b` is kept as [`Pairs`], entry `m` being `(b[m], b[m - 1])`,
//! so that two rows and any four columns are one unaligned load.
//!
//! **What compilers made of it** (measured; keep it when editing the inner loop).
//! - `at` is a `u16` so that LLVM cannot see the address advance: otherwise it
//!   rewrites the addresses, and 14 additions stand beside the 14 loads.
//! - The window is checked again between the halves of a step, and a failed check
//!   leaves the loop rather than the function: V8 computes as late as it can, and
//!   without a branch whose both sides need the sums it loads all first and spills.
//!   No check ever fails: `BELOW` and `ABOVE` are what the rows below can reach.

use alloc::vec;
use alloc::vec::Vec;

use super::lanes::store_pairs;
use super::tile::{Carry, STEP, STEPS, TILE, Tile};

/// Zeros wanted after the digits of a row operand.
pub(super) const MARGIN: usize = 16;
/// An operand as pairs of neighbouring digits, with zeros around.
pub(super) struct Pairs(Vec<i32>);

/// Zeros around pairs. The last row of a step is at most 22 past the first
/// column, and its vectors begin at that distance below the first digit;
/// the first row is at most `length` before the first of 16 columns.
const BELOW: usize = 32;
const ABOVE: usize = 16;

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
        self.0.get(at..at + N)?.first_chunk()
    }

    /// `digits` must be as many as at creation.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn set(&mut self, digits: &[i16]) {
        let entries = self
            .0
            .get_mut(BELOW..)
            .unwrap_or_default()
            .as_chunks_mut()
            .0;
        let mut before = &[0; 8];
        for (entries, digits) in entries.iter_mut().zip(digits.as_chunks().0) {
            store_pairs(entries, before, digits);
            before = digits;
        }
        if let Some((entry, last)) = self.0.get_mut(BELOW + digits.len()).zip(digits.last()) {
            *entry = i32::from(*last) << 16;
        }
    }
}

/// What is summed in each column.
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
    if rows.len() < length + MARGIN {
        return None;
    }
    let mut addend = addend.as_chunks::<TILE>().0.iter();
    let mut carry = Carry::new();
    for (number, out) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        let k0 = first + number * TILE;
        let mut tile = Tile::new(addend.next());

        // The rows that reach this tile, [row, end), and the last 16 of them.
        let mut row = k0.saturating_sub(length);
        let last = if sum == Sum::Square { k0 / 2 } else { k0 };
        let finish = last < length && last.wrapping_sub(row) % STEP == 0;
        let end = if finish { last } else { length.min(k0 + TILE) };

        if k0 >= length && row + TILE <= end {
            let at = (BELOW + length - 12) as u16;
            for odd in [0, 2] {
                let Some(window) = pairs.window(at.wrapping_sub(odd)) else {
                    break;
                };
                tile.start(rows.get(row + usize::from(odd)..)?.first_chunk()?, window);
            }
            row += TILE;
        }
        let count = end.saturating_sub(row).div_ceil(STEP);
        let steps = rows.get(row..)?.as_chunks().0.get(..count)?;
        let mut at = u16::try_from((BELOW + k0).checked_sub(row + 4)?).ok()?;
        for (number, steps) in steps.chunks(STEPS).enumerate() {
            if number > 0 {
                tile.fold();
            }
            for rows in steps {
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
        if sum == Sum::Square {
            tile.fold_double();
        }
        if finish {
            let at = u16::try_from(BELOW + k0 - last).ok()?;
            for (odd, mask) in [(0, [0xffff, -1, -1, -1]), (2, [0, 0, 0xffff, -1])] {
                let Some(window) = pairs.window(at.wrapping_sub(odd)) else {
                    break;
                };
                tile.finish(
                    rows.get(last + usize::from(odd)..)?.first_chunk()?,
                    window,
                    mask,
                );
            }
        }
        tile.fold();
        carry.digits(&tile, out);
    }
    Some(())
}
