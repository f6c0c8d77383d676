//! The columns of a product of two numbers of nine limbs.
//!
//! WebAssembly multiplies 64 by 64 bits and keeps the low 64, so nine limbs
//! of 29 bits are the fewest whose products can be summed without carries: a
//! column is at most nine products. Column `K` is the sum of all `a[i] * b[j]`
//! with `i + j = K`. `K` is a constant, so each becomes straight-line code,
//! and the field of the caller takes the columns one by one in the order that
//! suits its reduction: a column never needs to be stored.

/// Column `K` of `a * b`.
#[inline(always)]
pub(super) fn product<const K: usize>(a: &[i64; 9], b: &[i64; 9]) -> i64 {
    let mut sum = 0;
    let mut i = K.saturating_sub(8);
    while i < 9 && i <= K {
        sum += a[i] * b[K - i];
        i += 1;
    }
    sum
}

/// Column `K` of `a * a`: each pair once, then doubled.
#[inline(always)]
pub(super) fn square<const K: usize>(a: &[i64; 9]) -> i64 {
    let mut sum = 0;
    let mut i = K.saturating_sub(8);
    while i < 9 && 2 * i < K {
        sum += a[i] * a[K - i];
        i += 1;
    }
    sum *= 2;
    if K.is_multiple_of(2) {
        sum += a[K / 2] * a[K / 2];
    }
    sum
}
