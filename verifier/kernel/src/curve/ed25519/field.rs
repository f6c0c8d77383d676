//! The field of edwards25519: nine signed limbs of 29 bits, modulo
//! `2^261 - 1216`, which is 64 times `p = 2^255 - 19`.
//!
//! The part of a product above `2^261` is multiplied by 1216 and added to the lower part. The
//! upper columns are taken first and carried to limbs of 29 bits, because a whole column
//! times 1216 would not fit; then the lower columns, each with 1216 times its upper limb.
//!
//! Bounds (proved over ranges by `bounds`): a column of factors whose
//! magnitudes multiply to 3 is below `9 * 3 * 2^58 < 2^62.8`. A product has proper
//! limbs but for the lowest, which takes the last fold of less than `2^21`
//! either way.

use super::super::columns::{product, square, take_columns};
use super::super::field::Field;
use super::super::word::{self, Limb};
use super::super::{inverse, limbs, montgomery, wide};

const N: usize = 9;
const BITS: u32 = 29;
const MASK: i64 = (1 << BITS) - 1;
/// `2^261` modulo `p`.
const FOLD: i64 = 1216;
/// RFC 8032 §5.1.
const PRIME: [u8; 32] =
    limbs::hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");

/// An element from its 17 columns, the upper ones first.
macro_rules! reduce {
    (K => $column:expr) => {{
        let mut sum = Reduction::new();
        take_columns!(sum, $column; 8 9 10 11 12 13 14 15 16 0 1 2 3 4 5 6 7);
        sum.finish()
    }};
}

/// An element of the field.
#[derive(Clone, Copy)]
pub(crate) struct Element<L = i32>(pub(crate) [L; N]);

/// Reverses bytes, in a loop: an array of known length would be swapped byte by byte.
#[inline(never)]
pub(super) fn reverse(bytes: &mut [u8]) {
    bytes.reverse();
}

impl Element {
    pub(super) const ZERO: Self = Self([0; N]);
    pub(in crate::curve) const ONE: Self = Self(limbs::one());

    /// The element whose little-endian bytes these are, if below `p`.
    #[inline(never)]
    pub(super) fn parse(mut bytes: [u8; 32]) -> Option<Self> {
        const MODULUS: [i32; N] = limbs::from_be_bytes::<N, BITS>(&PRIME);
        reverse(&mut bytes);
        let limbs = limbs::from_be_bytes::<N, BITS>(&bytes);
        limbs::less::<N, BITS>(&limbs, &MODULUS).then_some(Self(limbs))
    }

    /// A constant from its big-endian digits.
    pub(super) const fn constant(digits: &str) -> Self {
        Self(limbs::from_be_bytes::<N, BITS>(&limbs::hex::<32>(digits)))
    }

    /// The little-endian bytes of the number in `[0, p)`.
    #[inline(never)]
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let words = limbs::to_words::<N, BITS>(&self.canonical());
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    /// `self` to the power `2^n`, times `b`.
    #[inline(never)]
    fn shift_mul(&self, n: u32, b: &Self) -> Self {
        (0..n).fold(*self, |power, _| power.square()).mul(b)
    }

    /// `self` to the power `(p - 5) / 8 = 2^252 - 3`.
    pub(super) fn power_of_root(&self) -> Self {
        // Named by the number of ones of the exponent.
        let x2 = self.shift_mul(1, self);
        let x4 = x2.shift_mul(2, &x2);
        let x5 = x4.shift_mul(1, self);
        let x10 = x5.shift_mul(5, &x5);
        let x20 = x10.shift_mul(10, &x10);
        let x25 = x20.shift_mul(5, &x5);
        let x50 = x25.shift_mul(25, &x25);
        let x100 = x50.shift_mul(50, &x50);
        let x125 = x100.shift_mul(25, &x25);
        let x250 = x125.shift_mul(125, &x125);
        x250.shift_mul(2, self)
    }

    /// The number in `[0, p)`. Each round leaves `v mod 2^255 + 19 floor(v /
    /// 2^255)`: the first is within `19 * 2^8` of `[0, 2^255)` for any element,
    /// the second in it. Then what is not below `p` is within 19 of `2^255`.
    #[inline(never)]
    fn canonical(&self) -> [i32; N] {
        let fold = |limbs: &[i32; N], add: i64| {
            let mut limbs = limbs.map(i64::from);
            limbs[0] += add;
            let mut limbs = limbs::carry::<N, BITS>(&limbs);
            let top = limbs[8] >> 23; // 255 = 8*29 + 23
            limbs[8] -= top << 23;
            (limbs, top as i64)
        };
        let (limbs, top) = fold(&self.0, 0);
        let (limbs, top) = fold(&limbs, 19 * top);
        let (limbs, _) = fold(&limbs, 19 * top);
        let (above, at_least_p) = fold(&limbs, 19);
        if at_least_p == 0 { limbs } else { above }
    }
}

impl<L: Limb> Field for Element<L> {
    fn one(&self) -> Self {
        Self(limbs::one().map(L::from))
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

    /// All carries at once: each limb carries what exceeds 29 bits to the next, the last limb
    /// 1216 times that to the first.
    #[inline(always)]
    fn carried(&self) -> Self {
        Self(core::array::from_fn(|i| {
            let carry = self.0[(i + N - 1) % N] >> BITS;
            let carry = if i == 0 {
                L::from(FOLD as i32) * carry
            } else {
                carry
            };
            (self.0[i] & L::from(MASK as i32)) + carry
        }))
    }

    #[inline(never)]
    fn mul(&self, b: &Self) -> Self {
        let (a, b) = (word::widen(&self.0), word::widen(&b.0));
        reduce!(K => product::<K, _>(&a, &b))
    }

    #[inline(never)]
    fn square(&self) -> Self {
        let a = word::widen(&self.0);
        reduce!(K => square::<K, _>(&a))
    }

    #[inline(never)]
    fn is_zero(&self) -> bool {
        L::known(&self.0, &self.0).is_some_and(|limbs| Element(limbs).canonical() == [0; N])
    }

    #[inline(never)]
    fn invert(&self) -> Self {
        const MODULUS: wide::Limbs = montgomery::number(&PRIME);
        let Some(limbs) = L::known(&self.0, &self.0) else {
            return *self;
        };
        let x = Element(limbs).canonical();
        Self(inverse::invert_limbs::<N, BITS>(&x, &MODULUS, 10).map(L::from))
    }
}

/// The columns of a product as limbs: 8 to 16 first, then 0 to 7.
struct Reduction<L: Limb> {
    carry: L::Word,
    /// Column 8 without its carry.
    middle: L::Word,
    /// What is above `2^261`.
    high: [L::Word; N],
    limbs: [L; N],
}

impl<L: Limb> Reduction<L> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            carry: 0.into(),
            middle: 0.into(),
            high: [0.into(); N],
            limbs: [0.into(); N],
        }
    }

    #[inline(always)]
    fn column<const K: usize>(&mut self, sum: L::Word) {
        let fold = L::Word::from(FOLD);
        let column = if K == 0 {
            sum + fold * self.high[0]
        } else if K < 8 {
            sum + fold * self.high[K] + self.carry
        } else {
            sum + self.carry
        };
        self.carry = column >> BITS;
        let limb = column & MASK.into();
        match K {
            0..8 => self.limbs[K] = L::narrow(limb),
            8 => self.middle = limb,
            _ => self.high[K - 9] = limb,
        }
        if K == 16 {
            self.high[8] = self.carry;
        }
    }

    #[inline(always)]
    fn finish(mut self) -> Element<L> {
        let fold = L::Word::from(FOLD);
        let last = self.middle + fold * self.high[8] + self.carry;
        self.limbs[8] = L::narrow(last & MASK.into());
        self.limbs[0] = self.limbs[0] + L::narrow(fold * (last >> BITS));
        Element(self.limbs)
    }
}
