//! base64url without padding (RFC 7515 §2). Only the canonical encoding is accepted (RFC 4648
//! §3.5): otherwise one token could be written in several ways.
//!
//! The `base64` crate takes eight times as many bytes in the module, and decodes one character at
//! a time there. Here the alphabet is five ranges. A character belongs to a range if its
//! distance from the range's first character is below the range's length.

use alloc::{string::String, vec, vec::Vec};

use super::u8x16::U8x16;
use crate::expected::expected;

/// RFC 4648 §5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The first character of each range, the number of characters, and the first one's value.
const RANGES: [(u8, u8, u8); 5] = [
    (b'A', 26, 0),
    (b'a', 26, 26),
    (b'0', 10, 52),
    (b'-', 1, 62),
    (b'_', 1, 63),
];

/// Set in the value of every character of the alphabet.
const VALID: u8 = 0x80;

/// Characters that are decoded at once, and the bytes that they decode to.
const TEXT: usize = 16;
const BYTES: usize = TEXT / 4 * 3;

/// `None` for padding, another alphabet, white space, an impossible length, or unused bits at
/// the end that are not zero.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    decode_blocks(text)
}

#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn decode_blocks(text: &[u8]) -> Option<Vec<u8>> {
    let (blocks, rest) = text.as_chunks::<TEXT>();
    // The last block is filled up with characters of value 0.
    let mut last = [b'A'; TEXT];
    expected(last.get_mut(..rest.len()))?.copy_from_slice(rest);
    let mut bytes = vec![0; (blocks.len() + 1) * BYTES];

    let mut invalid = U8x16::splat(0);
    let outputs = bytes.as_chunks_mut::<BYTES>().0;
    for (block, output) in blocks.iter().chain([&last]).zip(outputs) {
        let values = values(U8x16::load(block));
        invalid = invalid.or(values.equal(U8x16::splat(0)));
        *output = values.sextets();
    }

    let length = text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1);
    let unused = expected(bytes.get(length..))?.iter().any(|byte| *byte != 0);
    bytes.truncate(length);
    (text.len() % 4 != 1 && !unused && !invalid.any()).then_some(bytes)
}

/// The value of each character with [`VALID`] set, or 0 for one outside the alphabet.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn values(text: U8x16) -> U8x16 {
    let mut values = U8x16::splat(0);
    for (first, count, value) in RANGES {
        let offset = text.add(U8x16::splat(first.wrapping_neg()));
        let within = offset.less(U8x16::splat(count));
        let value = offset.add(U8x16::splat(VALID + value));
        values = values.or(value.and(within));
    }
    values
}

/// `bytes` in base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        // The last group may be shorter: its missing bytes are zero.
        let byte = |at: usize| group.get(at).copied().unwrap_or(0);
        let word = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for at in 0..=group.len() {
            let value = (word << (8 + 6 * at)) >> 26;
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
