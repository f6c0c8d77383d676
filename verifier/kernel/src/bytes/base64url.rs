//! base64url without padding, canonical (RFC 7515 §2, RFC 4648 §3.5): one text
//! for every sequence of bytes, or a token could be written in several ways.
//!
//! Ours, as the crate weighs eight times as much in the module, and takes a
//! character at a time there. The alphabet is five ranges: a character minus the
//! first of a range is below the range's length in one of them at most.

use alloc::{string::String, vec, vec::Vec};

use super::sixteen::Sixteen;
use crate::expected::expected;

/// RFC 4648 §5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The first character of each range, how many there are, and the first's value.
const RANGES: [(u8, u8, u8); 5] = [
    (b'A', 26, 0),
    (b'a', 26, 26),
    (b'0', 10, 52),
    (b'-', 1, 62),
    (b'_', 1, 63),
];

/// Marks what is of the alphabet.
const KNOWN: u8 = 0x80;

/// Characters that are decoded at once, and their bytes.
const TEXT: usize = 16;
const BYTES: usize = TEXT / 4 * 3;

/// `None` for padding, another alphabet, white space or stray bits at the end.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    decode_blocks(text)
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn decode_blocks(text: &[u8]) -> Option<Vec<u8>> {
    let (blocks, rest) = text.as_chunks::<TEXT>();
    // A zero's worth of characters follows the last ones.
    let mut last = [b'A'; TEXT];
    expected(last.get_mut(..rest.len()))?.copy_from_slice(rest);
    let mut bytes = vec![0; (blocks.len() + 1) * BYTES];

    let mut foreign = Sixteen::splat(0);
    let places = bytes.as_chunks_mut::<BYTES>().0;
    for (block, place) in blocks.iter().chain([&last]).zip(places) {
        let values = values(Sixteen::load(block));
        foreign = foreign.or(values.equal(Sixteen::splat(0)));
        *place = values.sextets();
    }

    let length = text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1);
    let stray = expected(bytes.get(length..))?.iter().any(|byte| *byte != 0);
    bytes.truncate(length);
    (text.len() % 4 != 1 && !stray && !foreign.any()).then_some(bytes)
}

/// The value of each character, marked as known; 0 for those that are none.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn values(text: Sixteen) -> Sixteen {
    let mut values = Sixteen::splat(0);
    for (first, count, value) in RANGES {
        let place = text.add(Sixteen::splat(first.wrapping_neg()));
        let within = place.less(Sixteen::splat(count));
        let value = place.add(Sixteen::splat(KNOWN + value));
        values = values.or(value.and(within));
    }
    values
}

/// Without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let byte = |place: usize| group.get(place).copied().unwrap_or(0);
        let word = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for place in 0..=group.len() {
            let value = (word << (8 + 6 * place)) >> 26;
            // Six bits are left, so the index is within the 64 characters.
            text.push(char::from(ALPHABET[value as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as ORACLE};

    use super::*;

    /// xorshift64: the same cases in every run.
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    fn agree(text: &[u8]) {
        assert_eq!(
            decode(text),
            ORACLE.decode(text).ok(),
            "{}",
            text.escape_ascii()
        );
    }

    #[test]
    fn it_writes_what_the_crate_writes_and_reads_it_back() {
        let mut state = 20261121;
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length).map(|_| random(&mut state) as u8).collect();
            let text = encode(&bytes);
            assert_eq!(text, ORACLE.encode(&bytes));
            assert_eq!(decode(text.as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn it_refuses_what_the_crate_refuses() {
        for first in 0..=255 {
            agree(&[first]);
            for second in 0..=255 {
                agree(&[first, second]);
                agree(&[b'A', first, second]);
                agree(&[first, b'_', b'A', second]);
                agree(&[b'A', b'A', b'A', b'A', b'x', first, second]);
            }
        }
        let mut state = 7;
        for _ in 0..200_000 {
            let length = random(&mut state) % 40;
            let mut text: Vec<u8> = (0..length)
                .map(|_| ALPHABET[(random(&mut state) % 64) as usize])
                .collect();
            agree(&text);
            if let Some(place) = (random(&mut state) as usize).checked_rem(text.len()) {
                text[place] = random(&mut state) as u8;
                agree(&text);
            }
        }
        for text in ["QQ==", "QQ=", " QQ", "QQ\n", "QR", "QUJ", "+_-/"] {
            agree(text.as_bytes());
        }
    }
}
