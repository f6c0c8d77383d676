//! What the point formulas ask of a field, and how far they may be lazy.
//!
//! An element is a number modulo a prime in signed limbs of `B` bits, kept
//! redundantly. Products come out *reduced*: limbs of about `B` bits, and a
//! value within a few times the prime. `add`, `sub` and `negate_if` work limb
//! by limb without any carry, so their limbs grow: a reduced element counts
//! 1, a sum the sum of its parts, and, because limbs are signed, a difference
//! of two reduced elements still only 1. A product is right as long as the
//! counts of its factors multiply to no more than 3, `dot_sub` if both
//! products together do. The tests run every formula over intervals (see
//! `bounds`) and so prove that no formula leaves these limits.

/// An element of a prime field.
pub(super) trait Field: Copy {
    /// The neutral element of `self`'s field.
    fn one(&self) -> Self;
    /// `self + b`, without carries.
    fn add(&self, b: &Self) -> Self;
    /// `self - b`, without carries.
    fn sub(&self, b: &Self) -> Self;
    /// `-self` where `mask` is -1, `self` where it is 0.
    fn negate_if(&self, mask: i32) -> Self;
    /// The same element with its limbs brought back to count about 1.
    fn carried(&self) -> Self;

    fn mul(&self, b: &Self) -> Self;
    fn square(&self) -> Self {
        self.mul(self)
    }

    fn is_zero(&self) -> bool;
    /// `1 / self`, and 0 for 0.
    fn invert(&self) -> Self;

    /// `2 * self`, without carries.
    fn double(&self) -> Self {
        self.add(self)
    }
}

/// A field whose reduction can take a sum along.
pub(super) trait Fused: Field {
    /// `self * b + m * c`, for an `m` of at most 8 either way.
    fn mul_add(&self, b: &Self, c: &Self, m: i64) -> Self;
    /// `self * self + m * c`.
    fn square_add(&self, c: &Self, m: i64) -> Self {
        self.mul_add(self, c, m)
    }
    /// `a * b - c * d`.
    fn dot_sub(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        a.mul_add(b, &c.mul(d), -1)
    }
}

/// Replaces each element by its inverse with a single inversion (Montgomery's
/// trick: invert the product of all, then peel it). None may be zero.
#[inline(never)]
pub(super) fn invert_all<F: Field>(elements: &mut [F]) {
    let Some(mut product) = elements.first().map(F::one) else {
        return;
    };
    let mut before = alloc::vec::Vec::with_capacity(elements.len());
    for element in elements.iter() {
        before.push(product);
        product = product.mul(element);
    }
    debug_assert!(!product.is_zero(), "one of the elements is zero");
    let mut rest = product.invert();
    for (element, before) in elements.iter_mut().zip(before).rev() {
        let inverse = rest.mul(&before);
        rest = rest.mul(element);
        *element = inverse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::ed25519::field::Element;

    /// In a release build all of them become zero.
    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "is zero"))]
    fn an_inverse_of_zero_among_others_stops_a_debug_build() {
        let zero = Element::ONE.sub(&Element::ONE);
        let mut elements = [Element::ONE, zero];
        invert_all(&mut elements);
        assert!(elements.iter().all(Field::is_zero));
    }
}
