//! Ranges of integers with the operations of limbs and words. The result of an operation is
//! the range of all results, and its absolute values must be below `2^BITS`.

use core::ops::{Add, BitAnd, Mul, Shl, Shr, Sub};

use super::super::word::{Limb, Number, Word};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range<const BITS: u32> {
    low: i128,
    high: i128,
}

/// The range of a limb.
pub(super) type Range32 = Range<31>;
/// The range of a column.
pub(super) type Range64 = Range<63>;

impl<const BITS: u32> Range<BITS> {
    pub(super) fn new(low: i128, high: i128) -> Self {
        assert!(low <= high);
        assert!(
            -low < 1 << BITS && high < 1 << BITS,
            "a number leaves its word: {low}..={high}"
        );
        Self { low, high }
    }

    pub(super) fn join(self, b: Self) -> Self {
        Self::new(self.low.min(b.low), self.high.max(b.high))
    }

    /// The range of a function that is monotonous in both of its arguments.
    fn corners(self, b: Self, f: impl Fn(i128, i128) -> i128) -> Self {
        let all = [
            f(self.low, b.low),
            f(self.low, b.high),
            f(self.high, b.low),
            f(self.high, b.high),
        ];
        Self::new(*all.iter().min().unwrap(), *all.iter().max().unwrap())
    }
}

impl<const BITS: u32> Add for Range<BITS> {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        self.corners(b, |a, b| a + b)
    }
}

impl<const BITS: u32> Sub for Range<BITS> {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self.corners(b, |a, b| a - b)
    }
}

impl<const BITS: u32> Mul for Range<BITS> {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        self.corners(b, |a, b| a * b)
    }
}

impl<const BITS: u32> Shl<u32> for Range<BITS> {
    type Output = Self;
    fn shl(self, bits: u32) -> Self {
        Self::new(self.low << bits, self.high << bits)
    }
}

impl<const BITS: u32> Shr<u32> for Range<BITS> {
    type Output = Self;
    fn shr(self, bits: u32) -> Self {
        Self::new(self.low >> bits, self.high >> bits)
    }
}

/// Only with a mask of low bits.
impl<const BITS: u32> BitAnd for Range<BITS> {
    type Output = Self;
    fn bitand(self, mask: Self) -> Self {
        assert!(mask.low == mask.high && mask.low & (mask.low + 1) == 0);
        if 0 <= self.low && self.high <= mask.high {
            self
        } else {
            Self::new(0, mask.high)
        }
    }
}

impl<const BITS: u32> From<i32> for Range<BITS> {
    fn from(number: i32) -> Self {
        Self::new(number.into(), number.into())
    }
}

impl From<i64> for Range64 {
    fn from(number: i64) -> Self {
        Self::new(number.into(), number.into())
    }
}

impl<const BITS: u32> Number for Range<BITS> {}
impl Word for Range64 {}
impl Limb for Range32 {
    type Word = Range64;

    fn widen(self) -> Range64 {
        Range64::new(self.low, self.high)
    }

    fn narrow(word: Range64) -> Self {
        Self::new(word.low, word.high)
    }

    /// Either sign, whatever the mask.
    fn negate_if(self, _: i32) -> Self {
        self.join(Self::from(0) - self)
    }

    /// A product with 1 has one form of each number if the other factor is below `R`: with a
    /// last limb below `2^28` less what the other limbs can have above it.
    fn known<const N: usize>(element: &[Self; N], _: &[Self; N]) -> Option<[i32; N]> {
        let used = element.iter().rev().find(|limb| **limb != Self::from(0));
        let last = used.unwrap();
        let bound = (1 << 28) - 16;
        assert!(-bound < last.low && last.high < bound, "a value leaves R");
        None
    }
}
