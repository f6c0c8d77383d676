//! Cases that cannot occur.
//!
//! This crate never panics in a release build: where an index or a division could
//! be wrong only because of a bug, the code takes an `Option` and stays total. It then
//! gives a wrong number or refuses. In debug builds, in the tests and under fuzzing
//! [`expected`] makes such a case an assertion instead.

/// `value`, which is `None` only by a bug of this crate: a debug build panics.
#[inline(always)]
#[cfg_attr(debug_assertions, track_caller)]
pub(crate) fn expected<T>(value: Option<T>) -> Option<T> {
    debug_assert!(value.is_some(), "a case that cannot occur");
    value
}

/// In a debug build each of these stops at an assertion; in a release build it ends, whatever
/// it gives.
#[cfg(test)]
mod tests {
    use super::expected;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "a case that cannot occur"))]
    fn a_missing_value_stops_a_debug_build() {
        assert_eq!(expected(Some(1)), Some(1));
        assert_eq!(expected(None::<u8>), None);
    }
}
