//! The columns of a product of two numbers of nine limbs.
//!
//! WebAssembly multiplies 64 by 64 bits and keeps the low 64, so nine limbs
//! of 29 bits are the fewest whose products can be summed without carries: a
//! column is at most nine products. Column `K` is the sum of all `a[i] * b[j]`
//! with `i + j = K`. `K` is a constant, so each becomes straight-line code,
//! and the caller's field takes the columns one by one in the order of its
//! reduction: no column is stored. (A test counts the multiplications in the compiled module:
//! `tests/artefact/tests/kernel.rs`.)

use super::word::Word;

/// Gives `$sum` the columns of a product in the order of the list; `K` is a constant in each.
macro_rules! take_columns {
    ($sum:ident, $column:expr; $($k:literal)*) => {
        $({ const K: usize = $k; $sum.column::<K>($column); })*
    };
}
pub(super) use take_columns;

/// Column `K` of `a * b`.
#[inline(always)]
pub(super) fn product<const K: usize, W: Word>(a: &[W; 9], b: &[W; 9]) -> W {
    let mut sum = W::from(0);
    let mut i = K.saturating_sub(8);
    while i < 9 && i <= K {
        sum = sum + a[i] * b[K - i];
        i += 1;
    }
    sum
}

/// Column `K` of `a * a`: each pair once, then doubled.
#[inline(always)]
pub(super) fn square<const K: usize, W: Word>(a: &[W; 9]) -> W {
    let mut sum = W::from(0);
    let mut i = K.saturating_sub(8);
    while i < 9 && 2 * i < K {
        sum = sum + a[i] * a[K - i];
        i += 1;
    }
    sum = sum << 1;
    if K.is_multiple_of(2) {
        sum = sum + a[K / 2] * a[K / 2];
    }
    sum
}
