//! Points of a curve with `a = -3`, and their sums.
//!
//! Jacobian coordinates stand for `(X / Z^2, Y / Z^3)`, `Z = 0` for the point
//! at infinity. Doubling is "dbl-2001-b" and mixed addition "madd" of the
//! Explicit-Formulas Database, with the linear parts moved into the
//! reductions of the products (`mul_add`, `dot_sub`), so that an addition needs
//! no `carried`, and a doubling one. Comments give the magnitude (`field.rs`) of
//! elements that are not reduced.

use super::super::comb::Group;
use super::super::field::{self, Fused};
use alloc::vec::Vec;

/// A point that is not at infinity.
#[derive(Clone, Copy)]
pub(crate) struct Affine<F> {
    pub(crate) x: F,
    pub(crate) y: F,
}

#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
}

impl<F: Fused> Affine<F> {
    /// Whether `y^2 = x^3 - 3x + b`.
    pub(crate) fn is_on_curve(&self, b: &F) -> bool {
        let right = self.x.square_add(&self.x.one(), -3).mul_add(&self.x, b, 1);
        self.y.square_add(&right, -1).is_zero()
    }

    fn negate_if(&self, mask: i32) -> Self {
        Self {
            x: self.x,
            y: self.y.negate_if(mask),
        }
    }
}

impl<F: Fused> Jacobian<F> {
    /// `self + point`, `point` negated where `mask` is -1. If the two are equal
    /// or opposite, or `self` is at infinity, the result has `Z = 0`, whatever the sum.
    #[inline(never)]
    pub(crate) fn add_distinct(&self, point: &Affine<F>, mask: i32) -> Self {
        let Affine { x: x2, y: y2 } = point.negate_if(mask);
        let Self { x, y, z } = self;
        let zz = z.square();
        let h = x2.mul(&zz).sub(x);
        let r = y2.mul(&z.mul(&zz)).sub(y);
        let hh = h.square();
        let hhh = h.mul(&hh);
        let v = x.mul(&hh);
        let x3 = r.square_add(&hhh.add(&v.double()), -1); // 3
        let y3 = F::dot_sub(&r, &v.sub(&x3), y, &hhh);
        let z3 = z.mul(&h);
        Self {
            x: x3,
            y: y3,
            z: z3,
        }
    }
}

impl<F: Fused> Group for Jacobian<F> {
    type Entry = Affine<F>;

    #[inline(never)]
    fn from_entry(point: &Affine<F>, mask: i32) -> Self {
        let Affine { x, y } = point.negate_if(mask);
        Self {
            x,
            y: y.carried(),
            z: x.one(),
        }
    }

    #[inline(never)]
    fn double(&self) -> Self {
        let Self { x, y, z } = self;
        let delta = z.square();
        let gamma = y.square();
        let two_beta = x.double().mul(&gamma); // 2
        let difference = x.sub(&delta);
        let three = difference.double().add(&difference); // 3
        let alpha = three.mul(&x.add(&delta).carried());
        let x3 = alpha.square_add(&two_beta, -4);
        let y3 = alpha.mul_add(&two_beta.double().sub(&x3), &gamma.square(), -8); // 2
        let z3 = y.double().mul(z); // 2
        Self {
            x: x3,
            y: y3,
            z: z3,
        }
    }

    #[inline(never)]
    fn add(&self, point: &Affine<F>, mask: i32) -> Self {
        if self.z.is_zero() {
            return Self::from_entry(point, mask);
        }
        let sum = self.add_distinct(point, mask);
        if !sum.z.is_zero() {
            return sum;
        }
        // Equal x-coordinates. The y-coordinates are equal or opposite; none is zero, because
        // the order of the curve is odd.
        let y = point.negate_if(mask).y.mul(&self.z.mul(&self.z.square()));
        if y.sub(&self.y).is_zero() {
            self.double()
        } else {
            sum
        }
    }

    #[inline(never)]
    fn to_entries(points: &[Self]) -> Vec<Affine<F>> {
        let mut inverses: Vec<F> = points.iter().map(|point| point.z).collect();
        field::invert_all(&mut inverses);
        let scale = |(point, inverse): (&Self, &F)| {
            let square = inverse.square();
            Affine {
                x: point.x.mul(&square),
                y: point.y.mul(&square.mul(inverse)),
            }
        };
        points.iter().zip(&inverses).map(scale).collect()
    }
}
