//! Proof of the bounds of all limbs and columns: field arithmetic and point formulas run over
//! ranges.
//!
//! A [`range::Range`] stands for all integers from one to another. The code of the fields is the
//! same for ranges as for integers (see `word.rs`); over ranges every operation asserts that no
//! word can overflow, whichever integers of the ranges it gets. Starting from the
//! entries of a table, doubling and addition are repeated, each time joining what can come out
//! with what went in, until nothing new comes out: then the ranges hold for every sequence of
//! operations, and none of them overflowed.
//!
//! Not shared, so to be changed together: `step` below calls the formulas in the order in which
//! `comb`, `Group::to_entries`, `field::invert_all` and `Key::verify` call them. Nor are
//! `inverse`, `limbs` and the final reduction of Ed25519 run over ranges: their bounds
//! are stated where they are, asserted in debug builds and tested against big integers.

mod range;

use super::comb::Group;
use super::ed25519::field::Element as Ed25519;
use super::ed25519::point::{Entry, Sum};
use super::field::{Field, Fused};
use super::montgomery::{Modulus, Residue};
use super::p256::field::Element as P256;
use super::weierstrass::Affine;
use super::weierstrass::point::Jacobian;
use super::wide::LIMBS_MAX;
use super::{p384, p521};
use range::Range32;

/// A field over ranges.
trait Ranges: Field {
    fn limbs(&self) -> &[Range32];
    /// `self` with other limbs.
    fn with(&self, limb: impl Fn(usize) -> Range32) -> Self;

    fn join(&self, b: &Self) -> Self {
        self.with(|i| self.limbs()[i].join(b.limbs()[i]))
    }
}

impl Ranges for P256<Range32> {
    fn limbs(&self) -> &[Range32] {
        &self.0
    }
    fn with(&self, limb: impl Fn(usize) -> Range32) -> Self {
        Self(core::array::from_fn(limb))
    }
}

impl Ranges for Ed25519<Range32> {
    fn limbs(&self) -> &[Range32] {
        &self.0
    }
    fn with(&self, limb: impl Fn(usize) -> Range32) -> Self {
        Self(core::array::from_fn(limb))
    }
}

impl Ranges for Residue<Range32> {
    fn limbs(&self) -> &[Range32] {
        &self.limbs
    }
    fn with(&self, limb: impl Fn(usize) -> Range32) -> Self {
        Self {
            limbs: core::array::from_fn(limb),
            prime: self.prime,
        }
    }
}

/// The limbs of all numbers below `2^bits`, which is what bytes are parsed to.
fn number<const N: usize>(bits: u32, limb_bits: u32) -> [Range32; N] {
    core::array::from_fn(|i| {
        let left = bits.saturating_sub(limb_bits * i as u32).min(limb_bits);
        Range32::new(0, (1 << left) - 1)
    })
}

/// Joins until nothing new comes out.
fn closure<T: Clone>(mut state: T, step: impl Fn(&T) -> T, same: impl Fn(&T, &T) -> bool) -> T {
    for _ in 0..100 {
        let next = step(&state);
        if same(&next, &state) {
            return state;
        }
        state = next;
    }
    panic!("the ranges grow without end");
}

/// `number` is what coordinates are parsed to; an element is its product with a constant.
fn weierstrass<F: Fused + Ranges>(number: F) {
    let element = number.mul(&number);
    // An entry is a product of whatever a sum's coordinates are and an inverse, and parsed points
    // are products as well; all are joined below.
    let point = Affine {
        x: element,
        y: element,
    };
    point.is_on_curve(&element);
    let start = (
        Jacobian {
            x: element,
            y: element,
            z: element.one(),
        },
        point,
    );
    type State<F> = (Jacobian<F>, Affine<F>);
    let step = |(sum, entry): &State<F>| {
        let mut next = *sum;
        for out in [sum.double(), sum.add_distinct(entry, -1)] {
            next = Jacobian {
                x: next.x.join(&out.x),
                y: next.y.join(&out.y),
                z: next.z.join(&out.z),
            };
        }
        // `from_entry`, either sign, and the comparisons of the complete addition and of `accepts`.
        next.x = next.x.join(&entry.x);
        next.y = next.y.join(&Jacobian::from_entry(entry, -1).y);
        entry
            .y
            .negate_if(-1)
            .mul(&sum.z.mul(&sum.z.square()))
            .sub(&sum.y)
            .is_zero();
        element
            .add(&element)
            .mul(&sum.z.square())
            .sub(&sum.x)
            .is_zero();
        sum.z.is_zero();
        // `invert_all` and `to_entries`.
        let inverse = element
            .mul(&element)
            .join(&element.mul(&sum.z))
            .join(&element);
        let peeled = inverse.mul(&sum.z);
        let square = inverse.square();
        let x = sum.x.mul(&square).join(&entry.x).join(&peeled);
        let y = sum.y.mul(&square.mul(&inverse)).join(&entry.y);
        (next, Affine { x, y })
    };
    let coordinates = |(sum, entry): &State<F>| [sum.x, sum.y, sum.z, entry.x, entry.y];
    let same = |a: &State<F>, b: &State<F>| {
        let (a, b) = (coordinates(a), coordinates(b));
        a.iter().zip(&b).all(|(a, b)| a.limbs() == b.limbs())
    };
    closure(start, step, same);
}

fn residue(prime: &'static Modulus, bits: u32) -> Residue<Range32> {
    let limbs: [Range32; LIMBS_MAX] = number(bits, 28);
    Residue { limbs, prime }
}

#[test]
fn p256_never_overflows() {
    weierstrass(P256(number(256, 29)));
}

#[test]
fn p384_never_overflows() {
    weierstrass(residue(&p384::MODULUS, 384));
}

#[test]
fn p521_never_overflows() {
    weierstrass(residue(&p521::MODULUS, 521));
}

#[test]
fn ed25519_never_overflows() {
    let number = Ed25519(number(255, 29));
    let element = number.mul(&number).join(&number);
    let state = Sum {
        e: element,
        f: element,
        g: element,
        h: element,
    };
    let step = |sum: &Sum<Ed25519<Range32>>| {
        let (x, y) = (
            sum.e.mul(&sum.f).mul(&element),
            sum.g.mul(&sum.h).mul(&element),
        );
        let t2d = x.mul(&y).mul(&element.double());
        let entry = Entry {
            plus: y.add(&x).carried(),
            minus: y.sub(&x).carried(),
            t2d,
        };
        // A point is negated before it becomes an entry.
        let x = x.join(&element).negate_if(-1);
        let negated = Entry {
            plus: y.add(&x).carried(),
            minus: y.sub(&x).carried(),
            t2d: x.mul(&y).mul(&element.double()),
        };
        let outs = [
            sum.doubled(),
            sum.plus(&entry, -1),
            sum.plus(&entry, 0),
            sum.plus(&negated, 0),
            sum.plus(&negated, -1),
        ];
        outs.iter().fold(*sum, |a, b| Sum {
            e: a.e.join(&b.e),
            f: a.f.join(&b.f),
            g: a.g.join(&b.g),
            h: a.h.join(&b.h),
        })
    };
    let same = |a: &Sum<Ed25519<Range32>>, b: &Sum<Ed25519<Range32>>| {
        [(a.e, b.e), (a.f, b.f), (a.g, b.g), (a.h, b.h)]
            .iter()
            .all(|(a, b)| a.0 == b.0)
    };
    closure(state, step, same);
}

/// The proof must be able to fail: a magnitude that is too large is noticed.
#[test]
#[should_panic(expected = "a number leaves its word")]
fn a_product_of_magnitudes_two_and_two_is_noticed() {
    let number = P256(number(256, 29));
    let element = number.mul(&number);
    element.double().mul(&element.double());
}
