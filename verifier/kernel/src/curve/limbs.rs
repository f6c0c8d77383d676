//! Big-endian bytes, and whole numbers kept as `N` signed limbs of `B` bits.
//!
//! A number is the sum of `limb[i] * 2^(B*i)`. It is *proper* when every limb
//! but the last is in `[0, 2^B)`; the last keeps the rest and the sign. The
//! functions are `const`, so that a curve's constants are written once, as
//! the bytes of its standard, and turned into limbs by the compiler.

/// `bytes`, most significant first, as proper limbs. The number must fit.
#[inline(never)]
pub(super) const fn from_be_bytes<const N: usize, const B: u32>(bytes: &[u8]) -> [i32; N] {
    let mut limbs = [0; N];
    let mut pending: u64 = 0;
    let mut bits = 0;
    let mut limb = 0;
    let mut at = bytes.len();
    while at > 0 {
        at -= 1;
        pending |= (bytes[at] as u64) << bits;
        bits += 8;
        if bits >= B && limb < N {
            limbs[limb] = (pending & ((1 << B) - 1)) as i32;
            pending >>= B;
            bits -= B;
            limb += 1;
        }
    }
    debug_assert!(
        pending <= if limb < N { i32::MAX as u64 } else { 0 },
        "the number does not fit"
    );
    if limb < N {
        limbs[limb] = pending as i32;
    }
    limbs
}

/// Proper, non-negative limbs as 64-bit words, least significant first.
#[inline(never)]
pub(super) fn to_words<const N: usize, const B: u32>(limbs: &[i32; N]) -> [u64; 9] {
    // So every `get_mut` below finds its word.
    const { assert!((N - 1) * B as usize / 64 + 1 < 9) };
    debug_assert!(limbs.iter().all(|limb| *limb >= 0), "not proper");
    let mut words = [0; 9];
    for (i, &limb) in limbs.iter().enumerate() {
        let bit = i * B as usize;
        let wide = (limb as u128) << (bit % 64);
        if let Some(word) = words.get_mut(bit / 64) {
            *word |= wide as u64;
        }
        if let Some(word) = words.get_mut(bit / 64 + 1) {
            *word |= (wide >> 64) as u64;
        }
    }
    words
}

/// 64-bit words, least significant first, as proper limbs. The number must fit.
#[inline(never)]
pub(super) fn from_words<const N: usize, const B: u32>(words: &[u64; 9]) -> [i32; N] {
    // So every `get` below finds its word.
    const { assert!((N - 1) * B as usize / 64 + 1 < 9) };
    let limbs = core::array::from_fn(|i| {
        let bit = i * B as usize;
        let word = |at: usize| words.get(at).copied().unwrap_or(0) as u128;
        let pair = word(bit / 64) | word(bit / 64 + 1) << 64;
        (pair >> (bit % 64)) as i32 & ((1 << B) - 1)
    });
    debug_assert!(
        to_words::<N, B>(&limbs) == *words,
        "the number does not fit"
    );
    limbs
}

/// The number one.
pub(super) const fn one<const N: usize>() -> [i32; N] {
    let mut one = [0; N];
    one[0] = 1;
    one
}

/// Moves what exceeds `B` bits of each limb to the next, the last keeps all.
#[inline(never)]
pub(super) const fn carry<const N: usize, const B: u32>(limbs: &[i64; N]) -> [i32; N] {
    let mut proper = [0; N];
    let mut carry = 0;
    let mut i = 0;
    while i < N {
        let limb = limbs[i] + carry;
        if i + 1 == N {
            debug_assert!(limb as i32 as i64 == limb, "the last limb does not fit");
            proper[i] = limb as i32;
        } else {
            proper[i] = (limb & ((1 << B) - 1)) as i32;
            carry = limb >> B;
        }
        i += 1;
    }
    proper
}

/// `a + m * b` as proper limbs, for a small `m`.
#[inline(never)]
pub(super) const fn add_multiple<const N: usize, const B: u32>(
    a: &[i32; N],
    b: &[i32; N],
    m: i64,
) -> [i32; N] {
    let mut sum = [0; N];
    let mut i = 0;
    while i < N {
        sum[i] = a[i] as i64 + m * b[i] as i64;
        i += 1;
    }
    carry::<N, B>(&sum)
}

/// Whether `a < b`, both proper.
#[inline(never)]
pub(super) const fn less<const N: usize, const B: u32>(a: &[i32; N], b: &[i32; N]) -> bool {
    add_multiple::<N, B>(a, b, -1)[N - 1] < 0
}

/// `2^bits mod m`, for a proper positive `m`.
pub(super) const fn power_of_two<const N: usize, const B: u32>(
    bits: u32,
    m: &[i32; N],
) -> [i32; N] {
    let mut power = one();
    let mut i = 0;
    while i < bits {
        power = add_multiple::<N, B>(&power, &power, 1);
        if !less::<N, B>(&power, m) {
            power = add_multiple::<N, B>(&power, m, -1);
        }
        i += 1;
    }
    power
}

/// `1 / odd mod 2^32`, by Newton's iteration: each step doubles the good bits.
pub(super) const fn inverse_of_odd(odd: i32) -> i32 {
    let mut inverse = odd; // good to three bits
    let mut i = 0;
    while i < 4 {
        inverse = inverse.wrapping_mul(2i32.wrapping_sub(odd.wrapping_mul(inverse)));
        i += 1;
    }
    inverse
}

/// The bytes that `digits` spell, for the constants of standards.
pub(super) const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    let digits = digits.as_bytes();
    assert!(digits.len() == 2 * N);
    let mut bytes = [0; N];
    let mut i = 0;
    while i < 2 * N {
        let value = match digits[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        };
        bytes[i / 2] = bytes[i / 2] << 4 | value;
        i += 1;
    }
    bytes
}

/// In a debug build each of these stops at an assertion; in a release build it ends, whatever
/// it gives.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "the number does not fit"))]
    fn bytes_that_are_too_many_stop_a_debug_build() {
        from_be_bytes::<2, 28>(&[1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "the number does not fit"))]
    fn words_that_are_too_many_stop_a_debug_build() {
        from_words::<9, 29>(&[1; 9]);
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "not proper"))]
    fn a_negative_limb_stops_a_debug_build() {
        to_words::<9, 29>(&[-1; 9]);
    }

    #[test]
    #[cfg_attr(
        debug_assertions,
        should_panic(expected = "the last limb does not fit")
    )]
    fn a_carry_that_leaves_the_last_limb_stops_a_debug_build() {
        carry::<2, 28>(&[0, 1 << 40]);
    }
}
