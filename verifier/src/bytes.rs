//! Eight bytes at a time: where a module is built for size, `==` and
//! `contains` on slices are calls that go byte by byte.

/// Whether two runs of bytes are equal.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks(), b.as_chunks());
    let differ = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
    a.len() == b.len()
        && a_words
            .iter()
            .zip(b_words)
            .map(differ)
            .all(|bits| bits == 0)
        && a_rest.iter().eq(b_rest)
}

/// Whether one of the bytes is `wanted`.
pub(crate) fn contain(bytes: &[u8], wanted: u8) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pattern = ONES.wrapping_mul(u64::from(wanted));
    // A byte that is zero borrows into its top bit; others with that bit set
    // are masked out (Knuth, TAOCP 4A, §7.1.3).
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7) != 0;
    let (words, rest) = bytes.as_chunks();
    words
        .iter()
        .any(|word| has_zero(u64::from_ne_bytes(*word) ^ pattern))
        || rest.contains(&wanted)
}

/// A number for a run of bytes; other seeds, other numbers.
pub(crate) fn hash(bytes: &[u8], seed: u64) -> u64 {
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
    // Twice, so that the last bytes reach the top bits too.
    mix(mix(state, rest), 0)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|n| n ^ 0xa5).collect();
            assert_eq!(contain(&bytes, b','), bytes.contains(&b','));
            for place in 0..bytes.len() {
                for (byte, neighbour) in [(0, 1), (1, 0), (b',', b'-'), (0x80, 0), (0xff, 0x7f)] {
                    let mut bytes: Vec<u8> = bytes.iter().map(|_| neighbour).collect();
                    assert!(!contain(&bytes, byte));
                    bytes[place] = byte;
                    assert!(contain(&bytes, byte), "{length} {place} {byte}");
                }
            }
        }
    }

    #[test]
    fn one_bit_makes_a_difference() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).collect();
            assert!(equal(&bytes, &bytes.clone()));
            assert!(!equal(&bytes, &[&bytes[..], &[0]].concat()));
            for bit in 0..8 * bytes.len() {
                let mut other = bytes.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!equal(&bytes, &other));
            }
        }
    }
}
