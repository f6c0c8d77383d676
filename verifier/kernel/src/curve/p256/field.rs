//! The field of P-256: nine signed limbs of 29 bits, Montgomery with
//! `R = 2^261`.
//!
//! `p = 2^256 - 2^224 + 2^192 + 2^96 - 1` is -1 modulo `2^29`, so the
//! quotient digit that makes a column zero is the column's own low 29 bits, and
//! adding `q * p` is adding `q` four times, shifted: no multiplication. The
//! columns of the product are taken from low to high; nine of them only give
//! quotient digits, the next nine are the result. Signed limbs make a
//! subtraction a plain subtraction, without a multiple of `p` to stay positive.
//!
//! Bounds (proved over ranges by `bounds`): a column of factors whose
//! magnitudes multiply to 3 is below `9 * 3 * 2^58 < 2^62.8`, quotients add
//! `2^54`. A product leaves `a b / 2^261 + p`; `2^261 = 32 * 2^256`, so values
//! of a few `p` are reduced to about one. What `mul_add` adds afterwards is
//! not reduced that way, hence its last step folds the bits above `2^256`.

use super::super::columns::{product, square, take_columns};
use super::super::field::{Field, Fused};
use super::super::word::{self, Limb, Word};
use super::super::{inverse, limbs, montgomery, wide};

const N: usize = 9;
const BITS: u32 = 29;
const MASK: i64 = (1 << BITS) - 1;

/// NIST SP 800-186 §3.2.1.3.
pub(super) const PRIME: [u8; 32] =
    limbs::hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const MODULUS: [i32; N] = limbs::from_be_bytes::<N, BITS>(&PRIME);
/// `R^2 mod p`: a product with it enters Montgomery's form.
const SQUARE_OF_R: [i32; N] = limbs::power_of_two::<N, BITS>(2 * 261, &MODULUS);

/// Gives `Reduction` its 17 columns, from low to high.
macro_rules! reduce {
    ($sum:ident, K => $column:expr) => {
        take_columns!($sum, $column; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
}

/// An element of the field.
#[derive(Clone, Copy)]
pub(crate) struct Element<L = i32>(pub(crate) [L; N]);

impl Element {
    /// The element whose big-endian bytes these are, if below `p`.
    #[inline(never)]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs::from_be_bytes::<N, BITS>(bytes);
        limbs::less::<N, BITS>(&limbs, &MODULUS).then(|| Self(limbs).mul(&Self(SQUARE_OF_R)))
    }
}

impl<L: Limb> Element<L> {
    /// The number in `[0, p)`, out of Montgomery's form: the product with 1 is
    /// in `[0, p]` for any element. `None` for ranges.
    #[inline(never)]
    fn out_of_montgomery(&self) -> Option<[i32; N]> {
        let product = self.mul(&Self(limbs::one().map(L::from)));
        let limbs = L::known(&self.0, &product.0)?;
        Some(if limbs == MODULUS { [0; N] } else { limbs })
    }
}

impl<L: Limb> Field for Element<L> {
    fn one(&self) -> Self {
        const ONE: [i32; N] = limbs::power_of_two::<N, BITS>(261, &MODULUS);
        Self(ONE.map(L::from))
    }

    #[inline(always)]
    fn add(&self, b: &Self) -> Self {
        Self(word::add(&self.0, &b.0))
    }

    #[inline(always)]
    fn sub(&self, b: &Self) -> Self {
        Self(word::sub(&self.0, &b.0))
    }

    #[inline(always)]
    fn negate_if(&self, mask: i32) -> Self {
        Self(self.0.map(|limb| limb.negate_if(mask)))
    }

    /// All carries at once: each limb carries what exceeds 29 bits to the next, so each
    /// limb of the result is below `2^29` plus the small magnitude of the limb before.
    #[inline(always)]
    fn carried(&self) -> Self {
        Self(core::array::from_fn(|i| {
            let kept = if i == N - 1 {
                self.0[i]
            } else {
                self.0[i] & L::from(MASK as i32)
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
        let (a, b) = (word::widen(&self.0), word::widen(&b.0));
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K, _>(&a, &b));
        sum.finish()
    }

    #[inline(never)]
    fn square(&self) -> Self {
        let a = word::widen(&self.0);
        let mut sum = Reduction::new();
        reduce!(sum, K => square::<K, _>(&a));
        sum.finish()
    }

    #[inline(never)]
    fn is_zero(&self) -> bool {
        self.out_of_montgomery() == Some([0; N])
    }

    #[inline(never)]
    fn invert(&self) -> Self {
        // (x R) -> x -> 1/x -> R/x
        const MODULUS: wide::Limbs = montgomery::number(&PRIME);
        let Some(x) = self.out_of_montgomery() else {
            return *self;
        };
        let inverse = inverse::invert_limbs::<N, BITS>(&x, &MODULUS, 10);
        Self(inverse.map(L::from)).mul(&Self(SQUARE_OF_R.map(L::from)))
    }
}

impl<L: Limb> Fused for Element<L> {
    #[inline(never)]
    fn mul_add(&self, b: &Self, c: &Self, m: i64) -> Self {
        let [a, b, c] = [self, b, c].map(|element| word::widen(&element.0));
        let m = m.into();
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K, _>(&a, &b) + above::<K, _>(&c, m));
        sum.finish_plus(m * c[8])
    }

    #[inline(never)]
    fn dot_sub(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let [a, b, c, d] = [a, b, c, d].map(|element| word::widen(&element.0));
        let mut sum = Reduction::new();
        reduce!(sum, K => product::<K, _>(&a, &b) - product::<K, _>(&c, &d));
        sum.finish()
    }

    #[inline(never)]
    fn square_add(&self, c: &Self, m: i64) -> Self {
        let [a, c] = [self, c].map(|element| word::widen(&element.0));
        let m = m.into();
        let mut sum = Reduction::new();
        reduce!(sum, K => square::<K, _>(&a) + above::<K, _>(&c, m));
        sum.finish_plus(m * c[8])
    }
}

/// The addend of column `K`: `m * c` starts where the result does.
#[inline(always)]
fn above<const K: usize, W: Word>(c: &[W; N], m: W) -> W {
    if K < N { W::from(0) } else { m * c[K - N] }
}

/// Takes the 17 columns of a product from low to high.
struct Reduction<L: Limb> {
    carry: L::Word,
    quotient: [L::Word; N],
    limbs: [L; N],
}

impl<L: Limb> Reduction<L> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            carry: 0.into(),
            quotient: [0.into(); N],
            limbs: [0.into(); N],
        }
    }

    #[inline(always)]
    fn column<const K: usize>(&mut self, sum: L::Word) {
        let mask = MASK.into();
        let mut multiple_of_p = L::Word::from(0);
        if K >= 3 && K - 3 < N {
            multiple_of_p = multiple_of_p + (self.quotient[K - 3] << 9); // 2^96 = 2^(3*29 + 9)
        }
        if K >= 6 && K - 6 < N {
            multiple_of_p = multiple_of_p + (self.quotient[K - 6] << 18); // 2^192 = 2^(6*29 + 18)
        }
        if K >= 7 && K - 7 < N {
            multiple_of_p = multiple_of_p - (self.quotient[K - 7] << 21); // 2^224 = 2^(7*29 + 21)
        }
        if K >= 8 && K - 8 < N {
            multiple_of_p = multiple_of_p + (self.quotient[K - 8] << 24); // 2^256 = 2^(8*29 + 24)
        }
        let column = sum + multiple_of_p + self.carry;
        if K < N {
            self.quotient[K] = column & mask; // and -1 times it clears the column
        } else {
            self.limbs[K - N] = L::narrow(column & mask);
        }
        self.carry = column >> BITS;
    }

    #[inline(always)]
    fn finish(mut self) -> Element<L> {
        self.limbs[8] = L::narrow(self.carry);
        Element(self.limbs)
    }

    /// Adds to the last limb and folds what is above `2^256`, a few times `p`.
    #[inline(always)]
    fn finish_plus(mut self, last: L::Word) -> Element<L> {
        let top = L::narrow(self.carry + last);
        let fold = top >> 24;
        self.limbs[8] = top & L::from((1 << 24) - 1);
        self.limbs[7] = self.limbs[7] + (fold << 21);
        self.limbs[6] = self.limbs[6] - (fold << 18);
        self.limbs[3] = self.limbs[3] - (fold << 9);
        self.limbs[0] = self.limbs[0] + fold;
        Element(self.limbs)
    }
}
