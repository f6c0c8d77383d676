//! A field of ranges: what each limb and the whole value can be.

use super::super::field::{Field, Fused};
use core::marker::PhantomData;
use std::vec;
use std::vec::Vec;

pub(super) type Range = (i128, i128);

pub(super) fn join(a: Range, b: Range) -> Range {
    (a.0.min(b.0), a.1.max(b.1))
}

pub(super) fn plus(a: Range, b: Range) -> Range {
    (a.0 + b.0, a.1 + b.1)
}

pub(super) fn times(a: Range, b: Range) -> Range {
    let all = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
    (*all.iter().min().unwrap(), *all.iter().max().unwrap())
}

pub(super) fn minus(a: Range) -> Range {
    (-a.1, -a.0)
}

pub(super) fn shift(a: Range, bits: u32) -> Range {
    (a.0 >> bits, a.1 >> bits)
}

pub(super) fn largest(a: Range) -> i128 {
    a.0.abs().max(a.1.abs())
}

/// How a kernel multiplies.
pub(super) trait Kernel: Copy {
    const N: usize;
    const BITS: u32;
    /// The product of sums `a * b`, and `m * c`, as limbs and value.
    fn reduce(columns: &[Column], value: Range, c: Option<(&Ranges, i128)>) -> Ranges;
    /// All carries at once, or nothing if that is a product with one.
    fn carried(limbs: &[Range]) -> Option<Vec<Range>>;
}

/// A column's range, and the largest sum of its terms' absolute values.
pub(super) type Column = (Range, i128);

/// Ranges of the limbs, and of the value in units of the last limb.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranges {
    pub(super) limbs: Vec<Range>,
    pub(super) value: Range,
}

impl Ranges {
    /// Limbs from 0 to all ones, and a last limb and value within `value`.
    pub(super) fn proper(n: usize, bits: u32, value: Range) -> Self {
        let mut limbs = vec![(0, (1 << bits) - 1); n - 1];
        limbs.push(value);
        Self { limbs, value }
    }

    fn fits_words(self) -> Self {
        for &limb in &self.limbs {
            assert!(largest(limb) < 1 << 31, "a limb leaves its word: {limb:?}");
        }
        self
    }
}

pub(super) fn fits(terms: i128) {
    assert!(terms < 1 << 63, "a column overflows: {terms}");
}

/// `Copy` is asked of a field, so the ranges are leaked: a test is short.
#[derive(Clone, Copy)]
pub(super) struct Interval<K>(pub(super) &'static Ranges, PhantomData<K>);

impl<K: Kernel> Interval<K> {
    pub(super) fn new(ranges: Ranges) -> Self {
        Self(
            std::boxed::Box::leak(std::boxed::Box::new(ranges.fits_words())),
            PhantomData,
        )
    }

    /// What `parse` and constants can be: a number below `2^bits`.
    pub(super) fn number(bits: u32) -> Self {
        let top = bits as usize - K::BITS as usize * (K::N - 1);
        Self::new(Ranges::proper(K::N, K::BITS, (0, 1 << top)))
    }

    pub(super) fn join(&self, b: &Self) -> Self {
        let limbs = self
            .0
            .limbs
            .iter()
            .zip(&b.0.limbs)
            .map(|(&a, &b)| join(a, b))
            .collect();
        Self::new(Ranges {
            limbs,
            value: join(self.0.value, b.0.value),
        })
    }

    fn each(&self, b: &Self, f: impl Fn(Range, Range) -> Range) -> Self {
        let limbs = self
            .0
            .limbs
            .iter()
            .zip(&b.0.limbs)
            .map(|(&a, &b)| f(a, b))
            .collect();
        Self::new(Ranges {
            limbs,
            value: f(self.0.value, b.0.value),
        })
    }

    fn products(terms: &[(&Self, &Self)]) -> (Vec<Column>, Range) {
        let mut columns = vec![((0, 0), 0); 2 * K::N - 1];
        let mut value = (0, 0);
        for (a, b) in terms {
            for (i, &x) in a.0.limbs.iter().enumerate() {
                for (j, &y) in b.0.limbs.iter().enumerate() {
                    let (range, sum) = &mut columns[i + j];
                    *range = plus(*range, times(x, y));
                    *sum += largest(x) * largest(y);
                }
            }
            value = plus(value, times(a.0.value, b.0.value));
        }
        (columns, value)
    }
}

impl<K: Kernel> Field for Interval<K> {
    fn one(&self) -> Self {
        Self::number(K::BITS * (K::N as u32 - 1) + 1).join(self)
    }
    fn add(&self, b: &Self) -> Self {
        self.each(b, plus)
    }
    fn sub(&self, b: &Self) -> Self {
        self.each(b, |a, b| plus(a, minus(b)))
    }
    /// Either sign, whatever the mask.
    fn negate_if(&self, _: i32) -> Self {
        self.each(self, |a, _| join(a, minus(a)))
    }
    fn carried(&self) -> Self {
        match K::carried(&self.0.limbs) {
            Some(limbs) => Self::new(Ranges {
                limbs,
                value: self.0.value,
            }),
            None => self.mul(&self.one()),
        }
    }
    fn mul(&self, b: &Self) -> Self {
        let (columns, value) = Self::products(&[(self, b)]);
        Self::new(K::reduce(&columns, value, None))
    }
    /// Always "no": the formulas branch on it only in the complete addition.
    /// A product with one is in `[0, p]` if the value is below `R`.
    fn is_zero(&self) -> bool {
        assert!(largest(self.0.value) < 1 << K::BITS, "a value leaves R");
        self.mul(&self.one());
        false
    }
    fn invert(&self) -> Self {
        unreachable!("no formula inverts")
    }
}

impl<K: Kernel> Fused for Interval<K> {
    fn mul_add(&self, b: &Self, c: &Self, m: i64) -> Self {
        let (columns, value) = Self::products(&[(self, b)]);
        Self::new(K::reduce(&columns, value, Some((c.0, m.into()))))
    }
    fn dot_sub(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        if K::BITS == 28 {
            return a.mul_add(b, &c.mul(d), -1);
        }
        let negative = c.each(c, |c, _| minus(c));
        let (columns, value) = Self::products(&[(a, b), (&negative, d)]);
        Self::new(K::reduce(&columns, value, None))
    }
}
