//! Vectors in and out of arrays: all of the crate's memory accesses that the compiler does
//! not check.
#![allow(unsafe_code)]

use core::mem::size_of;

/// Numbers and vectors of numbers.
///
/// # Safety
/// Every pattern of the type's bits is a value, and it has no padding.
pub(crate) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($(#[$cfg:meta])* $type:ty),*) => {
        // SAFETY: integers, and vectors of them.
        $($(#[$cfg])* unsafe impl Plain for $type {})*
    };
}
plain!(
    u8,
    i16,
    i32,
    i64,
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::v128,
    #[cfg(target_arch = "x86_64")]
    core::arch::x86_64::__m128i
);

/// The value whose bytes begin with the array's element `AT`.
#[inline(always)]
pub(crate) fn read<V: Plain, T: Plain, const AT: usize, const N: usize>(from: &[T; N]) -> V {
    const { assert!(AT * size_of::<T>() + size_of::<V>() <= N * size_of::<T>()) };
    // SAFETY: all bytes read are initialised bytes of the array, as just asserted; any bytes
    // are a `V`; no alignment is assumed.
    unsafe { from.as_ptr().add(AT).cast::<V>().read_unaligned() }
}

/// Puts the value's bytes where the array's element `AT` begins.
#[inline(always)]
pub(crate) fn write<V: Plain, T: Plain, const AT: usize, const N: usize>(
    to: &mut [T; N],
    value: V,
) {
    const { assert!(AT * size_of::<T>() + size_of::<V>() <= N * size_of::<T>()) };
    // SAFETY: all bytes written belong to the array, which is borrowed exclusively, as just
    // asserted; any bytes are elements of it; no alignment is assumed.
    unsafe { to.as_mut_ptr().add(AT).cast::<V>().write_unaligned(value) }
}
