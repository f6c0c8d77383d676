//! The hash function of this crate's hash tables. It is not cryptographic.

/// Hashes `bytes`. A different seed gives a different hash.
pub(crate) fn of(bytes: &[u8], seed: u64) -> u64 {
    let mix = |state: u64, word: u64| {
        let state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^ (state >> 32)
    };
    let (words, rest) = bytes.as_chunks();
    let state = words
        .iter()
        .fold(seed, |state, word| mix(state, u64::from_le_bytes(*word)));
    let rest = rest
        .iter()
        .fold(1, |word, byte| word << 8 | u64::from(*byte));
    // The second round spreads the last bytes to the top bits too.
    mix(mix(state, rest), 0)
}
