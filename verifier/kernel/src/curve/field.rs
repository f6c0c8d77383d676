//! What point addition requires of a field, and the magnitudes of elements.
//!
//! An element is a number modulo a prime in signed limbs of `B` bits; a number has several
//! representations. A product is *reduced*: its limbs have about `B` bits, and its
//! value is within a few times the prime. `add`, `sub` and `negate_if` work limb
//! by limb without carries, so limbs grow. The *magnitude* of an element says how much: it is
//! 1 for a reduced element, and the sum of both magnitudes for a sum. Because limbs are signed, the
//! difference of two reduced elements has magnitude 1. A product is correct if the
//! magnitudes of its factors multiply to at most 3; in `dot_sub` this holds for the sum of both
//! products. The tests run every formula over ranges (see `bounds`), which proves that
//! none exceeds these limits.

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
    /// The same element with its limbs brought back to magnitude 1, or slightly more.
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

/// A field whose products can be added to before they are reduced.
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
/// trick: invert the product of all, then divide by one after the other). None may be zero.
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
