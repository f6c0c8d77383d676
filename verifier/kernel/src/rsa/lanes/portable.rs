//! The lanes in plain Rust. No operation wraps: in a debug build an overflow, that is a bound
//! that does not hold, is a panic.

/// Four 32-bit lanes; or eight 16-bit ones, for [`dot_add`].
pub(crate) type Lanes = [i32; 4];

#[inline]
pub(crate) fn splat(value: i32) -> Lanes {
    [value; 4]
}

/// Lane by lane `sum + a.low * b.low + a.high * b.high`.
#[inline]
pub(crate) fn dot_add(sum: Lanes, a: Lanes, b: Lanes) -> Lanes {
    let low = |lane: i32| i32::from(lane as i16);
    let high = |lane: i32| lane >> 16;
    core::array::from_fn(|lane| {
        sum[lane] + (low(a[lane]) * low(b[lane]) + high(a[lane]) * high(b[lane]))
    })
}

#[inline]
pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    core::array::from_fn(|lane| a[lane] + b[lane])
}

#[inline]
pub(crate) fn and(a: Lanes, b: [i32; 4]) -> Lanes {
    core::array::from_fn(|lane| a[lane] & b[lane])
}

#[inline]
pub(crate) fn shift_left<const BITS: u32>(a: Lanes) -> Lanes {
    a.map(|lane| lane << BITS)
}

/// Arithmetic: towards minus infinity.
#[inline]
pub(crate) fn shift_right<const BITS: u32>(a: Lanes) -> Lanes {
    a.map(|lane| lane >> BITS)
}

/// The last lane of `before` and the first three of `a`.
#[inline]
pub(crate) fn one_up(before: Lanes, a: Lanes) -> Lanes {
    [before[3], a[0], a[1], a[2]]
}

/// Four entries from `AT` on.
#[inline]
pub(crate) fn load<const AT: usize, const N: usize>(from: &[i32; N]) -> Lanes {
    const { assert!(AT + 4 <= N) };
    core::array::from_fn(|lane| from[AT + lane])
}

/// Two digits from `AT` on, in every lane.
#[inline]
pub(crate) fn load_pair<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    const { assert!(AT + 2 <= N) };
    splat(i32::from(from[AT] as u16) | i32::from(from[AT + 1]) << 16)
}

/// Four digits from `AT` on, widened.
#[inline]
pub(crate) fn load_digits<const AT: usize, const N: usize>(from: &[i16; N]) -> Lanes {
    const { assert!(AT + 4 <= N) };
    core::array::from_fn(|lane| i32::from(from[AT + lane]))
}

/// Eight digits from `AT` on; each lane must fit 16 bits.
#[inline]
pub(crate) fn store_digits<const AT: usize, const N: usize>(to: &mut [i16; N], a: Lanes, b: Lanes) {
    const { assert!(AT + 8 <= N) };
    for (lane, value) in a.into_iter().chain(b).enumerate() {
        debug_assert!(i16::try_from(value).is_ok());
        to[AT + lane] = value as i16;
    }
}

/// Each digit in the low half of an entry, with the one below it in the high half.
#[inline]
pub(crate) fn store_pairs(to: &mut [i32; 8], digits: &[i16; 8], below: &[i16; 8]) {
    for ((entry, digit), below) in to.iter_mut().zip(digits).zip(below) {
        *entry = i32::from(*digit as u16) | i32::from(*below) << 16;
    }
}
