//! Internals, public for differential tests and fuzzing: field operations on limbs, and
//! which addition a verification needs.

use super::comb::{self, Group};
use super::field::{Field, Fused};
use super::montgomery::{Modulus, Residue};
use super::weierstrass::point::Jacobian;
use super::wide::{LIMBS_MAX, Limbs};
use super::{ed25519, p256};

/// `a * b`, `a * a`, `a * b + m c`, `a * a + m c`, `a * b - c * d`, `a` carried, `1 / a`.
pub const OPERATIONS: usize = 7;

fn operate<F: Fused>(operation: usize, [a, b, c, d]: [F; 4], m: i64) -> F {
    match operation {
        0 => a.mul(&b),
        1 => a.square(),
        2 => a.mul_add(&b, &c, m),
        3 => a.square_add(&c, m),
        4 => F::dot_sub(&a, &b, &c, &d),
        5 => a.carried(),
        _ => a.invert(),
    }
}

/// An operation in the field of P-256, in Montgomery's form, and whether its result is zero.
pub fn p256_field(operation: usize, elements: [[i32; 9]; 4], m: i64) -> ([i32; 9], bool) {
    let result = operate(operation, elements.map(p256::field::Element), m);
    (result.0, result.is_zero())
}

/// Operation 0, 1, 5 or 6 in the field of Ed25519, the result's bytes, and whether it is zero.
pub fn ed25519_field(operation: usize, [a, b]: [[i32; 9]; 2]) -> ([i32; 9], [u8; 32], bool) {
    let [a, b] = [a, b].map(ed25519::field::Element);
    let result = match operation {
        0 => a.mul(&b),
        1 => a.square(),
        5 => a.carried(),
        _ => a.invert(),
    };
    (result.0, result.to_bytes(), result.is_zero())
}

/// An operation modulo an odd modulus, in Montgomery's form.
pub struct AnyModulus(&'static Modulus);

impl AnyModulus {
    /// The modulus of these bytes, which is leaked.
    pub fn new(bytes: &[u8]) -> Self {
        Self(alloc::boxed::Box::leak(alloc::boxed::Box::new(
            Modulus::new(bytes),
        )))
    }

    /// The operation, and whether its result is zero.
    pub fn operate(
        &self,
        operation: usize,
        elements: [Limbs; 4],
        m: i64,
    ) -> ([i32; LIMBS_MAX], bool) {
        let elements = elements.map(|limbs| Residue {
            limbs,
            prime: self.0,
        });
        let result = operate(operation, elements, m);
        (result.limbs, result.is_zero())
    }

    /// The plain inverse of a number below the modulus.
    pub fn invert(&self, x: &Limbs) -> Limbs {
        self.0.invert(x)
    }
}

/// Whether a verification adds equal or opposite points, and so needs the complete addition.
pub fn p256_needs_complete_addition(
    key: &p256::VerifyingKey,
    digest: &[u8; 32],
    signature: &[u8; 64],
) -> bool {
    let (r, s) = signature.split_at(32);
    let Some(products) = key.0.scalars(digest, r, s) else {
        return false;
    };
    let [u1, u2] = products;
    let products = [(key.0.generator, &u1), (&key.0.tables, &u2)];
    let sum = |add| comb::sum(products, add);
    let fast: Option<Jacobian<_>> = sum(Jacobian::add_distinct);
    let complete: Option<Jacobian<_>> = sum(Jacobian::add);
    let needs_complete = fast.is_some_and(|sum| sum.z.is_zero());
    if !needs_complete {
        // Then both give the same point, perhaps with other coordinates.
        if let (Some(a), Some(b)) = (fast, complete) {
            assert!(
                a.x.mul(&b.z.square())
                    .sub(&b.x.mul(&a.z.square()))
                    .is_zero()
            );
        }
    }
    needs_complete
}
