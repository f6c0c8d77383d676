//! The field of P-256: nine signed limbs of 29 bits, Montgomery with
//! `R = 2^261`.
//!
//! `p = 2^256 - 2^224 + 2^192 + 2^96 - 1` is -1 modulo `2^29`, so the
//! quotient digit that clears a column is the column's own low 29 bits, and
//! adding `q * p` is adding `q` four times, shifted: no multiplication. The
//! columns of the product are taken from low to high; nine of them only give
//! quotient digits, the next nine are the result. Signed limbs make a
//! subtraction a plain subtraction, without a multiple of `p` to stay positive.
//!
//! Bounds (proved over intervals by `bounds`): a column of factors whose
//! counts multiply to 3 is below `9 * 3 * 2^58 < 2^62.8`, quotients add
//! `2^54`. A product leaves `a b / 2^261 + p`; `2^261 = 32 * 2^256`, so values
//! of a few `p` come back to about one. What `mul_add` adds afterwards does
//! not shrink that way, hence its last step folds the bits above `2^256`.

use super::super::columns::{product, square};
use super::super::field::{Field, Fused};
use super::super::montgomery::{self, LONGEST};
use super::super::{inverse, limbs};

const N: usize = 9;
const BITS: u32 = 29;
const MASK: i64 = (1 << BITS) - 1;

/// NIST SP 800-186 §3.2.1.3.
pub(super) const PRIME: [u8; 32] =
    limbs::hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const MODULUS: [i32; N] = limbs::from_be_bytes::<N, BITS>(&PRIME);
/// `R^2 mod p`: a product with it enters Montgomery's form.
const SQUARE_OF_R: Element = Element(limbs::power_of_two::<N, BITS>(2 * 261, &MODULUS));

/// Gives `Reduction` its 17 columns, `K` a constant in each.
macro_rules! reduce {
    ($sum:ident, K => $column:expr) => {
        reduce!($sum, $column; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    ($sum:ident, $column:expr; $($k:literal)*) => {
        $({ const K: usize = $k; $sum.column::<K>($column); })*
    };
}

/// An element of the field.
#[derive(Clone, Copy)]
pub(crate) struct Element(pub(crate) [i32; N]);

impl Element {
    /// The element whose big-endian bytes these are, if below `p`.
    #[inline(never)]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs::from_be_bytes::<N, BITS>(bytes);
        limbs::less::<N, BITS>(&limbs, &MODULUS).then(|| Self(limbs).mul(&SQUARE_OF_R))
    }

    /// The number in `[0, p)`, out of Montgomery's form: the product with 1 is
    /// in `[0, p]` for any element.
    fn leave(&self) -> [i32; N] {
        let limbs = self.mul(&Self(limbs::one())).0;
        if limbs == MODULUS { [0; N] } else { limbs }
    }

    #[inline(always)]
    fn wide(&self) -> [i64; N] {
        self.0.map(i64::from)
    }
}

impl Field for Element {
    fn one(&self) -> Self {
        const ONE: Element = Element(limbs::power_of_two::<N, BITS>(261, &MODULUS));
        ONE
    }

    #[inline(always)]
    fn add(&self, b: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] + b.0[i]))
    }

    #[inline(always)]
    fn sub(&self, b: &Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] - b.0[i]))
    }

    #[inline(always)]
    fn negate_if(&self, mask: i32) -> Self {
        Self(self.0.map(|limb| (limb ^ mask) - mask))
    }

    /// All carries at once: each limb passes on what exceeds 29 bits, so what
    /// comes out is below `2^29` plus the small count of the limb before.
    #[inline(always)]
    fn carried(&self) -> Self {
        Self(core::array::from_fn(|i| {
            let kept = if i == N - 1 {
                self.0[i]
            } else {
                self.0[i] & MASK as i32
            };
            if i == 0 {
                kept
            } else {
                kept + (self.0[i - 1] >> BITS)
            }
        }))
    }

    #[inline(never)]
    fn mul(&self, b: &Self) -> Self {
        let (a, b) = (self.wide(), b.wide());
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K>(&a, &b));
        sum.finish()
    }

    #[inline(never)]
    fn square(&self) -> Self {
        let a = self.wide();
        let mut sum = Reduction::new();
        reduce!(sum, K => square::<K>(&a));
        sum.finish()
    }

    #[inline(never)]
    fn is_zero(&self) -> bool {
        self.leave() == [0; N]
    }

    #[inline(never)]
    fn invert(&self) -> Self {
        // (x R) -> x -> 1/x -> R/x
        const MODULUS: montgomery::Limbs = montgomery::number(&PRIME);
        let words = limbs::to_words::<N, BITS>(&self.leave());
        let x = limbs::from_words::<LONGEST, 28>(&words);
        let words = limbs::to_words::<LONGEST, 28>(&inverse::invert(&x, &MODULUS, 10));
        Self(limbs::from_words::<N, BITS>(&words)).mul(&SQUARE_OF_R)
    }
}

impl Fused for Element {
    #[inline(never)]
    fn mul_add(&self, b: &Self, c: &Self, m: i64) -> Self {
        let (a, b, c) = (self.wide(), b.wide(), c.wide());
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K>(&a, &b) + above::<K>(&c, m));
        sum.finish_plus(m * c[8])
    }

    #[inline(never)]
    fn dot_sub(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let (a, b, c, d) = (a.wide(), b.wide(), c.wide(), d.wide());
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K>(&a, &b) - product::<K>(&c, &d));
        sum.finish()
    }

    #[inline(never)]
    fn square_add(&self, c: &Self, m: i64) -> Self {
        let (a, c) = (self.wide(), c.wide());
        let mut sum = Reduction::new();
        reduce!(sum, K => square::<K>(&a) + above::<K>(&c, m));
        sum.finish_plus(m * c[8])
    }
}

/// The addend of column `K`: `m * c` starts where the result does.
#[inline(always)]
fn above<const K: usize>(c: &[i64; N], m: i64) -> i64 {
    if K < N { 0 } else { m * c[K - N] }
}

/// Takes the 17 columns of a product from low to high.
struct Reduction {
    carry: i64,
    quotient: [i64; N],
    limbs: [i32; N],
}

impl Reduction {
    #[inline(always)]
    fn new() -> Self {
        Self {
            carry: 0,
            quotient: [0; N],
            limbs: [0; N],
        }
    }

    #[inline(always)]
    fn column<const K: usize>(&mut self, sum: i64) {
        let mut multiple_of_p = 0;
        if K >= 3 && K - 3 < N {
            multiple_of_p += self.quotient[K - 3] << 9; // 2^96 = 2^(3*29 + 9)
        }
        if K >= 6 && K - 6 < N {
            multiple_of_p += self.quotient[K - 6] << 18; // 2^192 = 2^(6*29 + 18)
        }
        if K >= 7 && K - 7 < N {
            multiple_of_p -= self.quotient[K - 7] << 21; // 2^224 = 2^(7*29 + 21)
        }
        if K >= 8 && K - 8 < N {
            multiple_of_p += self.quotient[K - 8] << 24; // 2^256 = 2^(8*29 + 24)
        }
        let column = sum + multiple_of_p + self.carry;
        if K < N {
            self.quotient[K] = column & MASK; // and -1 times it clears the column
        } else {
            self.limbs[K - N] = (column & MASK) as i32;
        }
        self.carry = column >> BITS;
    }

    #[inline(always)]
    fn finish(mut self) -> Element {
        self.limbs[8] = self.carry as i32;
        Element(self.limbs)
    }

    /// Adds to the last limb and folds what is above `2^256`, a few times `p`.
    #[inline(always)]
    fn finish_plus(mut self, last: i64) -> Element {
        let top = (self.carry + last) as i32;
        let fold = top >> 24;
        self.limbs[8] = top - (fold << 24);
        self.limbs[7] += fold << 21;
        self.limbs[6] -= fold << 18;
        self.limbs[3] -= fold << 9;
        self.limbs[0] += fold;
        Element(self.limbs)
    }
}
