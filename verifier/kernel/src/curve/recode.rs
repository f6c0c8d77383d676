//! Recoding of a scalar as signs: every odd number below `2^L` is a sum of all powers
//! `2^0 .. 2^(L-1)`, each with a sign, and in one way only.
//!
//! If `k = sum of s[i] 2^i` with `s[i] = 1` or `-1`, then `b[i] = (s[i] + 1) /
//! 2` are the bits of `(k + 2^L - 1) / 2`: bit `i` is bit `i + 1` of `k`, and
//! the last is 1. A comb reads the signs in columns: it splits the `L`
//! positions into two tables, each into `teeth` blocks of `spacing`
//! positions, and column `j` of a table gathers sign `j` of each of its
//! blocks. No digit is ever zero, so every column is an addition.

use super::limbs;
use super::wide::{BITS, LIMBS_MAX, Limbs};

/// At least the columns of every curve: P-521 has `ceil(521 / 10) = 53`.
const COLUMNS_MAX: usize = 64;

/// The signs of an odd number, perhaps that of a negated scalar.
pub(super) struct Signs {
    words: [u64; 9],
    /// -1 if every sign is to be flipped, else 0.
    flip: i32,
}

impl Signs {
    /// `k` if odd, else `order - k` with the signs flipped, which is right for
    /// points of this odd order only; `0 <= k < order`.
    pub(super) fn odd(k: &Limbs, order: &Limbs) -> Self {
        let is_odd = k[0] & 1 == 1;
        let negative = limbs::add_multiple::<LIMBS_MAX, BITS>(order, k, -1);
        let words = limbs::to_words::<LIMBS_MAX, BITS>(if is_odd { k } else { &negative });
        Self {
            words,
            flip: if is_odd { 0 } else { -1 },
        }
    }

    /// `k` if odd, else `k + 1`.
    pub(super) fn odd_above(k: &Limbs) -> Self {
        let mut words = limbs::to_words::<LIMBS_MAX, BITS>(k);
        words[0] |= 1;
        Self { words, flip: 0 }
    }

    /// The signs in columns, for two tables of so many teeth.
    pub(super) fn columns(&self, teeth: usize, spacing: usize) -> Columns {
        debug_assert!((1..=COLUMNS_MAX).contains(&spacing) && (1..=16).contains(&teeth));
        debug_assert!(2 * teeth * spacing / 64 < self.words.len());
        let mut signs = [[0; COLUMNS_MAX]; 2];
        let mut at = 0;
        for table in &mut signs {
            for tooth in 0..teeth {
                for column in table.iter_mut().take(spacing) {
                    at += 1;
                    let word = self.words.get(at / 64).copied().unwrap_or(0);
                    *column |= (((word >> (at % 64)) & 1) as u16) << tooth;
                }
            }
        }
        // The last sign of all is plus.
        if let Some(column) = signs[1].get_mut(spacing - 1) {
            *column |= 1 << (teeth - 1);
        }
        Columns {
            signs,
            teeth,
            flip: self.flip,
        }
    }
}

/// Signs in columns: a bit for each tooth of each table.
pub(super) struct Columns {
    signs: [[u16; COLUMNS_MAX]; 2],
    teeth: usize,
    flip: i32,
}

impl Columns {
    /// The index of the entry for column `j` of a table, and -1 if it is to be
    /// negated, else 0. A table holds `2^(teeth - 1)` sums, those in which the last
    /// tooth is plus, ordered by the bits of the others; the second table
    /// follows the first.
    #[inline(always)]
    pub(super) fn entry(&self, table: usize, j: usize) -> Option<(usize, i32)> {
        let column = *self.signs.get(table)?.get(j)? as usize;
        let half = 1 << (self.teeth - 1);
        let mask = if column & half == 0 { -1 } else { 0 };
        let at = (column ^ mask as usize) & (half - 1);
        Some((table * half + at, mask ^ self.flip))
    }
}
