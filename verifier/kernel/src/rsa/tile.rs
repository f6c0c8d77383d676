//! The sums of sixteen columns of a product, as four vectors of four.
//!
//! The instruction `dot` computes eight products: two rows `i, i + 1` by four
//! columns, from `(a[i], a[i + 1])` in every lane and four entries of
//! `(b[k - i], b[k - i - 1])`. The rows `i` and `i + 4` need the same vectors except
//! one: 7 loads for 8 dots, and 11 live vectors, which a compiler can
//! keep in 16 registers. So a step of eight rows is two halves of such rows.
//! Where the rows begin or end within the sixteen columns (the ends of a product,
//! which are triangles) `start` and `finish` take 20 dots for sixteen rows instead of 32.
//!
//! **Bounds.** With `|digit| <= D` and `L` rows a column is at most `L * D^2`.
//! 32 bits hold 112 rows (80 between two folds, 32 at one end), so that longer
//! columns are folded in between: `high` accumulates `sum >> 13`, `sum` keeps 13 bits.
//! At the end a column is `low + 8192 * high` with `low` in `0..8192`; `high` moves
//! one column up, which gives `v` with `|v| <= 8191 + L * D^2 / 8192 + folds`. `v` is
//! cut to its nearest digit in `-4096..4096`, and the carry, at most `(|v| + 4096) >>
//! 13`, is added one column up. So `D` is 4096 and that carry: 4141 for 2048 bits, 4272
//! for 8192 (the test `digit_bound_is_a_fixed_point_and_columns_fit_32_bits`).

use super::digits::BITS;
use super::lanes::{Lanes, add, and, dot_add, load, load_digits, load_pair, one_up};
use super::lanes::{shift_left, shift_right, splat, store_digits};

/// Columns of a tile; the length of every number is a multiple of it.
pub(super) const TILE: usize = 16;
/// Rows of one step.
pub(super) const STEP: usize = 8;
/// Steps between two folds.
pub(super) const STEPS: usize = 10;

/// The sums of sixteen columns: their value is `sum + 8192 * high`.
pub(super) struct Tile {
    sum: [Lanes; 4],
    high: [Lanes; 4],
}

impl Tile {
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn new(addend: Option<&[i16; TILE]>) -> Self {
        let zero = splat(0);
        let sum = match addend {
            None => [zero; 4],
            Some(digits) => [
                load_digits::<0, TILE>(digits),
                load_digits::<4, TILE>(digits),
                load_digits::<8, TILE>(digits),
                load_digits::<12, TILE>(digits),
            ],
        };
        Self {
            sum,
            high: [zero; 4],
        }
    }

    /// Half a step: the rows `A`, `A + 1`, `B` and `B + 1` across all columns,
    /// where `B` is `A + 4`. The pair for the first of them is at 4.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn step<const A: usize, const B: usize>(
        &mut self,
        rows: &[i16; 8],
        pairs: &[i32; 20],
    ) {
        let [mut c0, mut c4, mut c8, mut c12] = self.sum;
        let p = load::<4, 20>(pairs);
        let r0 = load_pair::<A, 8>(rows);
        c0 = dot_add(c0, r0, p);
        let r4 = load_pair::<B, 8>(rows);
        c4 = dot_add(c4, r4, p);
        c0 = dot_add(c0, r4, load::<0, 20>(pairs));
        let p = load::<8, 20>(pairs);
        c4 = dot_add(c4, r0, p);
        c8 = dot_add(c8, r4, p);
        let p = load::<12, 20>(pairs);
        c8 = dot_add(c8, r0, p);
        c12 = dot_add(c12, r4, p);
        c12 = dot_add(c12, r0, load::<16, 20>(pairs));
        self.sum = [c0, c4, c8, c12];
    }

    /// Every other pair of the first sixteen rows where the other operand
    /// ends: row `b` contributes to the columns below `b`.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn start(&mut self, rows: &[i16; 14], pairs: &[i32; 16]) {
        let [mut c0, mut c4, mut c8, mut c12] = self.sum;
        let p = load::<12, 16>(pairs);
        c0 = dot_add(c0, load_pair::<0, 14>(rows), p);
        let r4 = load_pair::<4, 14>(rows);
        c4 = dot_add(c4, r4, p);
        let r8 = load_pair::<8, 14>(rows);
        c8 = dot_add(c8, r8, p);
        let r12 = load_pair::<12, 14>(rows);
        c12 = dot_add(c12, r12, p);
        let p = load::<8, 16>(pairs);
        c0 = dot_add(c0, r4, p);
        c4 = dot_add(c4, r8, p);
        c8 = dot_add(c8, r12, p);
        let p = load::<4, 16>(pairs);
        c0 = dot_add(c0, r8, p);
        c4 = dot_add(c4, r12, p);
        c0 = dot_add(c0, r12, load::<0, 16>(pairs));
        self.sum = [c0, c4, c8, c12];
    }

    /// Every other pair of the last sixteen rows: row `b` contributes to the columns
    /// from `b` on. The mask takes the digits before the first as zero.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn finish(&mut self, rows: &[i16; 14], pairs: &[i32; 16], mask: [i32; 4]) {
        let [mut c0, mut c4, mut c8, mut c12] = self.sum;
        let p = and(load::<0, 16>(pairs), mask);
        let r0 = load_pair::<0, 14>(rows);
        c0 = dot_add(c0, r0, p);
        let r4 = load_pair::<4, 14>(rows);
        c4 = dot_add(c4, r4, p);
        let r8 = load_pair::<8, 14>(rows);
        c8 = dot_add(c8, r8, p);
        c12 = dot_add(c12, load_pair::<12, 14>(rows), p);
        let p = load::<4, 16>(pairs);
        c4 = dot_add(c4, r0, p);
        c8 = dot_add(c8, r4, p);
        c12 = dot_add(c12, r8, p);
        let p = load::<8, 16>(pairs);
        c8 = dot_add(c8, r0, p);
        c12 = dot_add(c12, r4, p);
        c12 = dot_add(c12, r0, load::<12, 16>(pairs));
        self.sum = [c0, c4, c8, c12];
    }

    /// Leaves 13 bits in `sum`.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn fold(&mut self) {
        let [s0, s4, s8, s12] = self.sum;
        let [h0, h4, h8, h12] = self.high;
        self.high = [
            add(h0, shift_right::<BITS>(s0)),
            add(h4, shift_right::<BITS>(s4)),
            add(h8, shift_right::<BITS>(s8)),
            add(h12, shift_right::<BITS>(s12)),
        ];
        let mask = [(1 << BITS) - 1; 4];
        self.sum = [and(s0, mask), and(s4, mask), and(s8, mask), and(s12, mask)];
    }

    /// Twice the columns, with 13 bits left in `sum`.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn fold_double(&mut self) {
        let double = |sum: Lanes, high: Lanes| {
            let high = add(shift_left::<1>(high), shift_right::<{ BITS - 1 }>(sum));
            let low = and(sum, [(1 << (BITS - 1)) - 1; 4]);
            (shift_left::<1>(low), high)
        };
        let [s0, s4, s8, s12] = self.sum;
        let [h0, h4, h8, h12] = self.high;
        let (s0, h0) = double(s0, h0);
        let (s4, h4) = double(s4, h4);
        let (s8, h8) = double(s8, h8);
        let (s12, h12) = double(s12, h12);
        self.sum = [s0, s4, s8, s12];
        self.high = [h0, h4, h8, h12];
    }
}

/// The carries from one tile to the next.
pub(super) struct Carry {
    high: Lanes,
    digit: Lanes,
}

impl Carry {
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn new() -> Self {
        Self {
            high: splat(0),
            digit: splat(0),
        }
    }

    /// Folded columns to digits.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(super) fn digits(&mut self, tile: &Tile, out: &mut [i16; TILE]) {
        let [s0, s4, s8, s12] = tile.sum;
        let [h0, h4, h8, h12] = tile.high;
        let (d0, d4) = (self.pass(s0, h0), self.pass(s4, h4));
        store_digits::<0, TILE>(out, d0, d4);
        let (d8, d12) = (self.pass(s8, h8), self.pass(s12, h12));
        store_digits::<8, TILE>(out, d8, d12);
    }

    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn pass(&mut self, sum: Lanes, high: Lanes) -> Lanes {
        let value = add(sum, one_up(self.high, high));
        self.high = high;
        let carry = shift_right::<BITS>(add(value, splat(1 << (BITS - 1))));
        let below = one_up(self.digit, carry);
        self.digit = carry;
        add(nearest_digit(value), below)
    }
}

/// The low 13 bits as a signed number.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn nearest_digit(value: Lanes) -> Lanes {
    shift_right::<{ 32 - BITS }>(shift_left::<{ 32 - BITS }>(value))
}
