//! The types of limbs and columns: machine integers, or ranges of integers in the proof of the
//! bounds.
//!
//! The arithmetic of each field is written once, over these traits, and `bounds` runs that same
//! code over ranges: there is no second description of it.

use core::ops::{Add, BitAnd, Mul, Shl, Shr, Sub};

/// The operations of limbs and of words.
pub(super) trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + BitAnd<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
}

/// A column or a carry: 64 bits.
pub(super) trait Word: Number + From<i64> {}

/// A limb as it is stored: 32 bits.
pub(super) trait Limb: Number + From<i32> {
    type Word: Word;

    fn widen(self) -> Self::Word;
    /// The word must fit.
    fn narrow(word: Self::Word) -> Self;
    /// `-self` where `mask` is -1, `self` where it is 0.
    fn negate_if(self, mask: i32) -> Self;
    /// The limbs of `reduced`, which was computed from `element`, to be compared with. `None` for
    /// ranges, which only assert that `element` was small enough for the reduction.
    fn known<const N: usize>(element: &[Self; N], reduced: &[Self; N]) -> Option<[i32; N]>;
}

impl Number for i64 {}
impl Word for i64 {}

impl Number for i32 {}
impl Limb for i32 {
    type Word = i64;

    #[inline(always)]
    fn widen(self) -> i64 {
        self.into()
    }

    #[inline(always)]
    fn narrow(word: i64) -> i32 {
        debug_assert!(i32::try_from(word).is_ok(), "a limb leaves its word");
        word as i32
    }

    #[inline(always)]
    fn negate_if(self, mask: i32) -> i32 {
        (self ^ mask) - mask
    }

    #[inline(always)]
    fn known<const N: usize>(_: &[i32; N], reduced: &[i32; N]) -> Option<[i32; N]> {
        Some(*reduced)
    }
}

/// Limb by limb `a + b`, without carries.
#[inline(always)]
pub(super) fn add<L: Limb, const N: usize>(a: &[L; N], b: &[L; N]) -> [L; N] {
    core::array::from_fn(|i| a[i] + b[i])
}

/// Limb by limb `a - b`, without carries.
#[inline(always)]
pub(super) fn sub<L: Limb, const N: usize>(a: &[L; N], b: &[L; N]) -> [L; N] {
    core::array::from_fn(|i| a[i] - b[i])
}

#[inline(always)]
pub(super) fn widen<L: Limb, const N: usize>(limbs: &[L; N]) -> [L::Word; N] {
    limbs.map(L::widen)
}
