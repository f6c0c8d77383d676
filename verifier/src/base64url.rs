//! base64url without padding, canonical (RFC 7515 §2, RFC 4648 §3.5): one text
//! for every sequence of bytes, or a token could be written in several ways.
//!
//! Ours, as the crate weighs eight times as much in the module.

use alloc::{string::String, vec::Vec};

/// RFC 4648 §5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Above every value of a character.
const FOREIGN: u8 = 64;

static VALUES: [u8; 256] = {
    let mut values = [FOREIGN; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// `None` for padding, another alphabet, white space or stray bits at the end.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (quads, rest) = text.as_chunks();
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3));
    let mut foreign = 0;
    for quad in quads {
        let [_, a, b, c] = word(*quad, &mut foreign).to_be_bytes();
        bytes.extend([a, b, c]);
    }
    match rest {
        [] => {}
        [a, b] => {
            let [_, byte, stray, _] = word([*a, *b, b'A', b'A'], &mut foreign).to_be_bytes();
            bytes.push(byte);
            foreign |= u8::from(stray != 0) * FOREIGN;
        }
        [a, b, c] => {
            let [_, first, second, stray] = word([*a, *b, *c, b'A'], &mut foreign).to_be_bytes();
            bytes.extend([first, second]);
            foreign |= u8::from(stray != 0) * FOREIGN;
        }
        _ => return None,
    }
    (foreign & FOREIGN == 0).then_some(bytes)
}

/// Four characters as 24 bits.
fn word(quad: [u8; 4], foreign: &mut u8) -> u32 {
    quad.into_iter().fold(0, |word, character| {
        // There is a value for every byte.
        let value = VALUES.get(usize::from(character)).copied();
        let value = value.unwrap_or(FOREIGN);
        *foreign |= value;
        word << 6 | u32::from(value & 63)
    })
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let byte = |place: usize| group.get(place).copied().unwrap_or(0);
        let word = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for place in 0..=group.len() {
            let value = (word << (8 + 6 * place)) >> 26;
            let character = ALPHABET.get(value as usize).copied().unwrap_or(b'A');
            text.push(char::from(character));
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
            let length = random(&mut state) % 20;
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
