//! Montgomery arithmetic for any odd modulus, in limbs of 28 bits.
//!
//! A residue `x` is kept as `x * R mod m` with `R = 2^(28 n)`, `n` the limbs
//! of the modulus. A product is built row by row: each row adds `a[i] * b`,
//! then the multiple `q` of the modulus that makes the lowest limb zero, and shifts
//! down by one limb, which divides by `2^28`; after `n` rows the sum has been
//! divided by `R`. The same code serves the orders of all groups
//! (P-256 and Ed25519: 10 limbs) and the fields of P-384 (14) and P-521 (19).
//!
//! Bounds: each of the `n` rows adds at most `(3 + 1) * 2^56` to a column if
//! the magnitudes of the factors (see `field.rs`) multiply to 3 or less: below
//! `19 * 2^58 < 2^62.3` in all. A product `T` leaves `T / R + m` at most,
//! so with `R >= 2^8 m` a value of a few times the modulus is reduced to about the modulus.

use super::field::{Field, Fused};
use super::inverse;
use super::limbs;
use super::wide::{BITS, LIMBS_MAX, Limbs, MASK};
use super::word::{self, Limb};

/// Big-endian bytes as a number.
pub(super) const fn number(bytes: &[u8]) -> Limbs {
    limbs::from_be_bytes::<LIMBS_MAX, BITS>(bytes)
}

/// The length of a number whose first byte is not zero.
pub(super) const fn bits(bytes: &[u8]) -> u32 {
    8 * bytes.len() as u32 - bytes[0].leading_zeros()
}

/// An odd modulus, with the constants for products modulo it.
pub(super) struct Modulus {
    pub(super) limbs: Limbs,
    n: usize,
    /// `-1 / m mod 2^28`.
    minus_inverse: i64,
    /// `R mod m` and `R * R mod m`.
    pub(super) one: Limbs,
    square_of_r: Limbs,
}

impl Modulus {
    /// The modulus with these big-endian bytes.
    pub(super) const fn new(bytes: &[u8]) -> Self {
        let limbs = number(bytes);
        // At least 8 bits more than the modulus.
        let n = (bits(bytes) + 8).div_ceil(BITS);
        Self {
            limbs,
            n: n as usize,
            minus_inverse: (limbs::inverse_of_odd(limbs[0]).wrapping_neg() as i64) & MASK,
            one: limbs::power_of_two::<LIMBS_MAX, BITS>(BITS * n, &limbs),
            square_of_r: limbs::power_of_two::<LIMBS_MAX, BITS>(2 * BITS * n, &limbs),
        }
    }

    /// Big-endian bytes as a number below the modulus, or `None`.
    pub(super) fn parse(&self, bytes: &[u8]) -> Option<Limbs> {
        let limbs = number(bytes);
        limbs::less::<LIMBS_MAX, BITS>(&limbs, &self.limbs).then_some(limbs)
    }

    /// `a * b / R + k * c`, congruent modulo `m`.
    #[inline(never)]
    pub(super) fn mul_add<L: Limb>(
        &self,
        a: &[L; LIMBS_MAX],
        b: &[L; LIMBS_MAX],
        c: &[L; LIMBS_MAX],
        k: i64,
    ) -> [L; LIMBS_MAX] {
        debug_assert!((1..=LIMBS_MAX).contains(&self.n));
        // With a constant length the inner loop is unrolled and twice as fast; a test of the
        // compiled module says so (`tests/artefact/tests/kernel.rs`).
        match self.n {
            14 => self.rows(14, a, b, c, k),
            19 => self.rows(19, a, b, c, k),
            n => self.rows(n.min(LIMBS_MAX), a, b, c, k),
        }
    }

    #[inline(always)]
    fn rows<L: Limb>(
        &self,
        n: usize,
        a: &[L; LIMBS_MAX],
        b: &[L; LIMBS_MAX],
        c: &[L; LIMBS_MAX],
        k: i64,
    ) -> [L; LIMBS_MAX] {
        let (zero, mask) = (L::Word::from(0), L::Word::from(MASK));
        let m = |j: usize| L::Word::from(self.limbs[j] as i64);
        let mut t = [zero; LIMBS_MAX];
        for &x in &a[..n] {
            let x = x.widen();
            let lowest = t[0] + x * b[0].widen();
            let q = ((lowest & mask) * self.minus_inverse.into()) & mask;
            let carry = (lowest + q * m(0)) >> BITS;
            for j in 1..n {
                t[j - 1] = t[j] + x * b[j].widen() + q * m(j);
            }
            t[n - 1] = zero;
            t[0] = t[0] + carry;
        }
        let mut sum = [L::from(0); LIMBS_MAX];
        let mut carry = zero;
        for j in 0..n {
            carry = carry + (t[j] + L::Word::from(k) * c[j].widen());
            sum[j] = L::narrow(if j == n - 1 { carry } else { carry & mask });
            carry = carry >> BITS;
        }
        sum
    }

    /// `a * b / R`, congruent modulo `m`.
    pub(super) fn mul(&self, a: &Limbs, b: &Limbs) -> Limbs {
        self.mul_add(a, b, &[0; LIMBS_MAX], 0)
    }

    /// `x * R`: converts to Montgomery form.
    #[inline(never)]
    pub(super) fn to_montgomery(&self, x: &Limbs) -> Limbs {
        self.mul(x, &self.square_of_r)
    }

    /// A number in `[0, 2m)` brought below `m`.
    pub(super) fn canonical(&self, x: &Limbs) -> Limbs {
        if limbs::less::<LIMBS_MAX, BITS>(x, &self.limbs) {
            *x
        } else {
            limbs::add_multiple::<LIMBS_MAX, BITS>(x, &self.limbs, -1)
        }
    }

    /// `1 / x mod m` of a number in `[0, m)`, neither in Montgomery form.
    pub(super) fn invert(&self, x: &Limbs) -> Limbs {
        inverse::invert(x, &self.limbs, self.n)
    }
}

/// An element of a field that has no arithmetic of its own, and its prime.
#[derive(Clone, Copy)]
pub(super) struct Residue<L = i32> {
    pub(super) limbs: [L; LIMBS_MAX],
    pub(super) prime: &'static Modulus,
}

impl Residue {
    /// The element whose big-endian bytes these are, if below the prime.
    #[inline(never)]
    pub(super) fn parse(bytes: &[u8], prime: &'static Modulus) -> Option<Self> {
        Some(Self {
            limbs: prime.to_montgomery(&prime.parse(bytes)?),
            prime,
        })
    }
}

impl<L: Limb> Residue<L> {
    fn with(&self, limbs: [L; LIMBS_MAX]) -> Self {
        Self {
            limbs,
            prime: self.prime,
        }
    }

    /// `x / R` as the proper number in `[0, p)`: converts from Montgomery form. For
    /// `|x| < R` the product with 1 is in `(-1, p + 1)`. `None` for ranges.
    #[inline(never)]
    fn out_of_montgomery(&self) -> Option<Limbs> {
        let product = self.mul(&self.with(limbs::one().map(L::from)));
        let limbs = L::known(&self.limbs, &product.limbs)?;
        Some(self.prime.canonical(&limbs))
    }
}

impl<L: Limb> Field for Residue<L> {
    fn one(&self) -> Self {
        self.with(self.prime.one.map(L::from))
    }

    #[inline(never)]
    fn add(&self, b: &Self) -> Self {
        self.with(word::add(&self.limbs, &b.limbs))
    }

    #[inline(never)]
    fn sub(&self, b: &Self) -> Self {
        self.with(word::sub(&self.limbs, &b.limbs))
    }

    #[inline(never)]
    fn negate_if(&self, mask: i32) -> Self {
        self.with(self.limbs.map(|limb| limb.negate_if(mask)))
    }

    /// A product with one.
    fn carried(&self) -> Self {
        self.mul(&self.one())
    }

    fn mul(&self, b: &Self) -> Self {
        self.mul_add(b, b, 0)
    }

    #[inline(never)]
    fn is_zero(&self) -> bool {
        self.out_of_montgomery() == Some([0; LIMBS_MAX])
    }

    #[inline(never)]
    fn invert(&self) -> Self {
        // (x R) -> x -> 1/x -> R/x
        let Some(x) = self.out_of_montgomery() else {
            return *self;
        };
        self.with(
            self.prime
                .to_montgomery(&self.prime.invert(&x))
                .map(L::from),
        )
    }
}

impl<L: Limb> Fused for Residue<L> {
    fn mul_add(&self, b: &Self, c: &Self, m: i64) -> Self {
        self.with(self.prime.mul_add(&self.limbs, &b.limbs, &c.limbs, m))
    }
}
