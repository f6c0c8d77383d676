//! The bound on every limb, proved: the point formulas run over intervals.
//!
//! `Interval` is a field whose elements are not numbers but the ranges that
//! each limb and the whole value can have. Every operation mirrors the
//! arithmetic of a kernel, asserts that no word can overflow whatever the
//! numbers in the ranges and in whatever order the terms are added, and gives the
//! ranges of the result. Starting from the entries of a table, doubling and
//! addition are repeated, each time joining what can come out with what went
//! in, until nothing new comes out: then the ranges hold for every sequence of
//! operations, and none of them overflowed.

mod interval;
mod kernels;

use super::comb::Group;
use super::ed25519::point::{Entry, Sum};
use super::field::Field;
use super::weierstrass::Affine;
use super::weierstrass::point::Jacobian;
use interval::{Interval, Kernel};
use kernels::{Ed25519, P256, Rows};

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

fn weierstrass<K: Kernel>(element: Interval<K>) {
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
    type State<K> = (Jacobian<Interval<K>>, Affine<Interval<K>>);
    let step = |(sum, entry): &State<K>| {
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
    let same = |a: &State<K>, b: &State<K>| {
        [
            (a.0.x, b.0.x),
            (a.0.y, b.0.y),
            (a.0.z, b.0.z),
            (a.1.x, b.1.x),
            (a.1.y, b.1.y),
        ]
        .iter()
        .all(|(a, b)| a.0 == b.0)
    };
    closure(start, step, same);
}

#[test]
fn p256_never_overflows() {
    weierstrass(Interval::<P256>::number(256).mul(&Interval::number(256)));
}

#[test]
fn p384_never_overflows() {
    let number = Interval::<Rows<14, 384>>::number(384);
    weierstrass(number.mul(&number));
}

#[test]
fn p521_never_overflows() {
    let number = Interval::<Rows<19, 521>>::number(521);
    weierstrass(number.mul(&number));
}

#[test]
fn ed25519_never_overflows() {
    let number = Interval::<Ed25519>::number(255);
    let element = number.mul(&number).join(&number);
    let state = Sum {
        e: element,
        f: element,
        g: element,
        h: element,
    };
    let step = |sum: &Sum<Interval<Ed25519>>| {
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
    let same = |a: &Sum<Interval<Ed25519>>, b: &Sum<Interval<Ed25519>>| {
        [(a.e, b.e), (a.f, b.f), (a.g, b.g), (a.h, b.h)]
            .iter()
            .all(|(a, b)| a.0 == b.0)
    };
    closure(state, step, same);
}

/// The proof must be able to fail: one count too many is noticed.
#[test]
#[should_panic(expected = "a column overflows")]
fn a_product_of_counts_four_is_noticed() {
    let element = Interval::<P256>::number(256).mul(&Interval::number(256));
    element.double().mul(&element.double());
}
