//! Points of edwards25519, `-x^2 + y^2 = 1 + d x^2 y^2`, and their sums.
//!
//! Extended coordinates `(X : Y : Z : T)`, `x = X/Z`, `y = Y/Z`, `T = XY/Z`
//! (Hisil, Wong, Carter, Dawson, 2008). A sum comes out as four factors: `X =
//! E F`, `Y = G H`, `Z = F G` and, only if an addition follows, `T = E H`. The
//! formulas are complete because -1 is a square modulo `p` and `d` is not: they hold for equal,
//! opposite, neutral and low-order points too.

use super::super::comb::Group;
use super::super::field::{self, Field};
use super::field::Element;
use alloc::vec::Vec;

/// RFC 8032 §5.1.
const D: Element =
    Element::constant("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
/// The larger square root of -1.
const ROOT: Element =
    Element::constant("2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0");

/// A point as its coordinates.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    x: Element,
    y: Element,
}

impl Affine {
    /// RFC 8032 §5.1.3, `y` below `p` and no `x = 0` with a sign bit, as required there.
    pub(super) fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let mut y = *bytes;
        let sign = y[31] >> 7;
        y[31] &= 0x7f;
        let y = Element::parse(y)?;
        let yy = y.square();
        let u = yy.sub(&Element::ONE);
        let v = yy.mul(&D).add(&Element::ONE);
        let v3 = v.square().mul(&v);
        let mut x = u.mul(&v3).mul(&u.mul(&v3.square().mul(&v)).power_of_root());
        let vxx = v.mul(&x.square());
        if !vxx.sub(&u).is_zero() {
            if !vxx.add(&u).is_zero() {
                return None;
            }
            x = x.mul(&ROOT);
        }
        if x.is_zero() && sign == 1 {
            return None;
        }
        let flip = is_negative(&x) != (sign == 1);
        Some(Self {
            x: x.negate_if(if flip { -1 } else { 0 }),
            y,
        })
    }

    /// RFC 8032 §5.1.2.
    pub(super) fn encode(&self) -> [u8; 32] {
        let mut bytes = self.y.to_bytes();
        bytes[31] |= u8::from(is_negative(&self.x)) << 7;
        bytes
    }

    /// Whether eight times the point is neutral: `x = 0` has order 1 or 2, `y =
    /// 0` order 4, and twice a point has `y = 0` where `y^2 = -x^2`.
    pub(super) fn is_low_order(&self) -> bool {
        let sum = self.x.square().add(&self.y.square());
        self.x.is_zero() || self.y.is_zero() || sum.is_zero()
    }

    /// The negative of the point as a table's entry.
    pub(super) fn negative(&self) -> Entry {
        Entry::new(&self.x.negate_if(-1), &self.y)
    }

    pub(super) fn entry(&self) -> Entry {
        Entry::new(&self.x, &self.y)
    }
}

fn is_negative(x: &Element) -> bool {
    x.to_bytes()[0] & 1 == 1
}

/// A point prepared for additions: `y + x`, `y - x`, `2 d x y`, 108 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Entry<F = Element> {
    pub(crate) plus: F,
    pub(crate) minus: F,
    pub(crate) t2d: F,
}

impl Entry {
    fn new(x: &Element, y: &Element) -> Self {
        let t2d = x.mul(y).mul(&D.double());
        Self {
            plus: y.add(x).carried(),
            minus: y.sub(x).carried(),
            t2d,
        }
    }
}

/// A sum as the four factors of its coordinates.
#[derive(Clone, Copy)]
pub(crate) struct Sum<F = Element> {
    pub(crate) e: F,
    pub(crate) f: F,
    pub(crate) g: F,
    pub(crate) h: F,
}

impl Sum {
    #[inline(never)]
    pub(super) fn to_affine(self) -> Affine {
        let inverse = self.f.mul(&self.g).invert();
        let x = self.e.mul(&self.f).mul(&inverse);
        let y = self.g.mul(&self.h).mul(&inverse);
        Affine { x, y }
    }
}

/// Comments give the magnitudes (see `field.rs`) of elements that are not reduced.
impl<F: Field> Sum<F> {
    /// "dbl-2008-hwcd" for `a = -1`.
    #[inline(always)]
    pub(crate) fn doubled(&self) -> Self {
        let Self { e, f, g, h } = self;
        let (x, y, z) = (e.mul(f), g.mul(h), f.mul(g)); // 1 * 3, 1 * 2, 3 * 1
        let (xx, yy, zz) = (x.square(), y.square(), z.square());
        let g = yy.sub(&xx);
        Self {
            e: x.double().mul(&y),        // 2 * 1
            f: g.sub(&zz.double()),       // 3
            g,                            // 1
            h: xx.add(&yy).negate_if(-1), // 2
        }
    }

    /// "madd-2008-hwcd-3", `entry` negated where `mask` is -1.
    #[inline(always)]
    pub(crate) fn plus(&self, entry: &Entry<F>, mask: i32) -> Self {
        let Self { e, f, g, h } = self;
        let (x, y, z, t) = (e.mul(f), g.mul(h), f.mul(g), e.mul(h)); // as above, 1 * 2
        let (plus, minus) = match mask {
            0 => (&entry.plus, &entry.minus),
            _ => (&entry.minus, &entry.plus),
        };
        let a = y.sub(&x).mul(minus); // 1 * 1
        let b = y.add(&x).mul(plus); // 2 * 1
        let c = t.mul(&entry.t2d).negate_if(mask);
        let d = z.double();
        Self {
            e: b.sub(&a),           // 1
            f: d.sub(&c),           // 3
            g: d.add(&c).carried(), // 1, from 3
            h: b.add(&a),           // 2
        }
    }
}

impl Group for Sum {
    type Entry = Entry;

    fn from_entry(entry: &Entry, mask: i32) -> Self {
        const NEUTRAL: Sum = Sum {
            e: Element::ZERO,
            f: Element::ONE,
            g: Element::ONE,
            h: Element::ONE,
        };
        Group::add(&NEUTRAL, entry, mask)
    }

    #[inline(never)]
    fn double(&self) -> Self {
        self.doubled()
    }

    #[inline(never)]
    fn add(&self, entry: &Entry, mask: i32) -> Self {
        self.plus(entry, mask)
    }

    #[inline(never)]
    fn to_entries(sums: &[Self]) -> Vec<Entry> {
        let mut inverses: Vec<Element> = sums.iter().map(|sum| sum.f.mul(&sum.g)).collect();
        field::invert_all(&mut inverses);
        let entry = |(sum, inverse): (&Self, &Element)| {
            let x = sum.e.mul(&sum.f).mul(inverse);
            let y = sum.g.mul(&sum.h).mul(inverse);
            Entry::new(&x, &y)
        };
        sums.iter().zip(&inverses).map(entry).collect()
    }
}
