//! ECDSA verification on the curves `y^2 = x^3 - 3x + b` of prime order.
//!
//! `u1 G + u2 Q` is summed over tables of both points (`comb.rs`) with
//! formulas that are fast and not complete (`point.rs`). For equal or opposite points,
//! which a signer can produce on purpose, they give `Z = 0`, and every later sum has `Z = 0` too.
//! So a sum with `Z = 0` is computed again with complete additions. The x-coordinate is
//! compared without an inversion: `X = r Z^2`, or `(r + n) Z^2` where `r + n` is below `p`.

pub(super) mod point;
mod public_key;

pub(super) use point::Affine;
pub(super) use public_key::verifying_key;

use super::comb::{self, Comb, Group, KEY_TEETH};
use super::field::Fused;
use super::limbs;
use super::montgomery::{self, Modulus};
use super::recode::Signs;
use super::wide::{BITS, LIMBS_MAX, Limbs};
use crate::expected::expected;
use alloc::boxed::Box;
use once_cell::race::OnceBox;
use point::Jacobian;

/// A curve over the field of `F`: its constants, and its generator's tables.
pub(super) struct Curve<F: Copy + 'static> {
    order: Modulus,
    order_bits: usize,
    /// `r + n` is below `p` when `r` is below this.
    prime_minus_order: Limbs,
    constants: Constants,
    /// The element of the field with these bytes, if they are below `p`.
    element: fn(&[u8]) -> Option<F>,
    /// Teeth of the generator's tables, which are computed when they are first needed.
    teeth: usize,
    tables: OnceBox<Comb<Affine<F>>>,
}

/// The constants of a curve as in its standard: all big-endian and of one length.
pub(super) struct Constants {
    pub(super) prime: &'static [u8],
    pub(super) order: &'static [u8],
    pub(super) b: &'static [u8],
    pub(super) generator: [&'static [u8]; 2],
}

/// A public key: tables of its multiples.
pub(super) struct Key<F: Copy + 'static> {
    pub(super) tables: Comb<Affine<F>>,
    pub(super) generator: &'static Comb<Affine<F>>,
    curve: &'static Curve<F>,
}

impl<F: Fused> Curve<F> {
    pub(super) const fn new(
        constants: Constants,
        element: fn(&[u8]) -> Option<F>,
        teeth: usize,
    ) -> Self {
        let (prime, order) = (
            montgomery::number(constants.prime),
            Modulus::new(constants.order),
        );
        let prime_minus_order = limbs::add_multiple::<LIMBS_MAX, BITS>(&prime, &order.limbs, -1);
        let order_bits = montgomery::bits(constants.order) as usize;
        let tables = OnceBox::new();
        Self {
            order,
            order_bits,
            prime_minus_order,
            constants,
            element,
            teeth,
            tables,
        }
    }

    /// The point with these coordinates, if there is one.
    fn point(&self, [x, y]: [&[u8]; 2]) -> Option<Affine<F>> {
        let point = Affine {
            x: (self.element)(x)?,
            y: (self.element)(y)?,
        };
        point
            .is_on_curve(&expected((self.element)(self.constants.b))?)
            .then_some(point)
    }

    fn tables(&self, coordinates: [&[u8]; 2], teeth: usize) -> Option<Comb<Affine<F>>> {
        Some(Comb::new::<Jacobian<F>>(
            &self.point(coordinates)?,
            self.order_bits,
            teeth,
        ))
    }
}

impl<F: Fused> Key<F> {
    /// The key with these big-endian coordinates, if they are below the prime
    /// and on the curve. As the cofactor is 1, every such point is a valid key.
    #[inline(never)]
    pub(super) fn new(curve: &'static Curve<F>, x: &[u8], y: &[u8]) -> Option<Self> {
        let tables = curve.tables([x, y], KEY_TEETH)?;
        let generator = match curve.tables.get() {
            Some(tables) => tables,
            None => {
                let tables = curve.tables(curve.constants.generator, curve.teeth);
                let tables = Box::new(expected(tables)?);
                curve.tables.get_or_init(|| tables)
            }
        };
        Some(Self {
            tables,
            generator,
            curve,
        })
    }

    /// FIPS 186-5 §6.4.2; the digest is no longer than the order.
    #[inline(never)]
    pub(super) fn verify(&self, digest: &[u8], r: &[u8], s: &[u8]) -> bool {
        let accepts = || {
            let sum = self.sum(&self.scalars(digest, r, s)?)?;
            let is_x = |x: F| x.mul(&sum.z.square()).sub(&sum.x).is_zero();
            // Both are below the prime, as the order is.
            let x = expected((self.curve.element)(r))?;
            let order = expected((self.curve.element)(self.curve.constants.order))?;
            let r = montgomery::number(r);
            let wraps = limbs::less::<LIMBS_MAX, BITS>(&r, &self.curve.prime_minus_order);
            Some(is_x(x) || wraps && is_x(x.add(&order)))
        };
        accepts().unwrap_or(false)
    }

    /// Whether `r` and `s` are in `[1, n)`.
    pub(super) fn admits(&self, r: &[u8], s: &[u8]) -> bool {
        self.positive(r).is_some() && self.positive(s).is_some()
    }

    fn positive(&self, number: &[u8]) -> Option<Limbs> {
        let number = self.curve.order.parse(number)?;
        (number != [0; LIMBS_MAX]).then_some(number)
    }

    /// `u1 = e / s` and `u2 = r / s`, if `r` and `s` are in `[1, n)`.
    pub(super) fn scalars(&self, digest: &[u8], r: &[u8], s: &[u8]) -> Option<[Signs; 2]> {
        let order = &self.curve.order;
        let r = self.positive(r)?;
        let s = self.positive(s)?;
        let w = order.to_montgomery(&order.invert(&s));
        let over_s = |x| Signs::odd(&order.canonical(&order.mul(&x, &w)), &order.limbs);
        Some([over_s(montgomery::number(digest)), over_s(r)])
    }

    /// `u1 G + u2 Q`, or `None` for the point at infinity.
    fn sum(&self, [u1, u2]: &[Signs; 2]) -> Option<Jacobian<F>> {
        let products = [(self.generator, u1), (&self.tables, u2)];
        let mut sum = expected(comb::sum(products, Jacobian::add_distinct))?;
        if sum.z.is_zero() {
            sum = expected(comb::sum(products, Jacobian::add))?;
        }
        (!sum.z.is_zero()).then_some(sum)
    }
}
