//! Operations on every byte of a token, sixteen bytes at a time. In a module that is built for
//! size the standard library's `==` and `contains` take one byte at a time.

pub mod base64url;
mod u8x16;

use u8x16::U8x16;

/// Whether two slices are equal. Not for secrets: the time may depend on the bytes.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn equal(a: &[u8], b: &[u8]) -> bool {
        let ((a_blocks, _), (b_blocks, _)) = (a.as_chunks(), b.as_chunks());
        let mut differ = U8x16::splat(0);
        for (a, b) in a_blocks.iter().zip(b_blocks) {
            differ = differ.or(U8x16::load(a).xor(U8x16::load(b)));
        }
        match (a.last_chunk(), b.last_chunk()) {
            // The last sixteen bytes cover the rest; some are compared a second time.
            (Some(a), Some(b)) => !differ.or(U8x16::load(a).xor(U8x16::load(b))).any(),
            _ => equal_ends::<8>(a, b)
                .or_else(|| equal_ends::<4>(a, b))
                .or_else(|| equal_ends::<2>(a, b))
                .unwrap_or_else(|| a.first() == b.first()),
        }
    }
    a.len() == b.len() && equal(a, b)
}

/// Whether the first and last `N` bytes, which cover up to twice as many, are equal. `None` if
/// there are fewer.
fn equal_ends<const N: usize>(a: &[u8], b: &[u8]) -> Option<bool> {
    let first = a.first_chunk::<N>()? == b.first_chunk()?;
    Some(first & (a.last_chunk::<N>()? == b.last_chunk()?))
}

/// Whether one of the bytes is `byte`. Not inlined, as callers are built for size.
#[inline(never)]
pub fn contain(bytes: &[u8], byte: u8) -> bool {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn contain(bytes: &[u8], byte: u8) -> bool {
        let Some(last) = bytes.last_chunk() else {
            return position(bytes, byte).is_some();
        };
        // The last sixteen bytes cover the rest.
        let mut found = U8x16::load(last).equal(U8x16::splat(byte));
        for block in bytes.as_chunks().0 {
            found = found.or(U8x16::load(block).equal(U8x16::splat(byte)));
        }
        found.any()
    }
    contain(bytes, byte)
}

/// The index of the first `byte`.
pub fn position(bytes: &[u8], byte: u8) -> Option<usize> {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn first(block: &[u8; 16], byte: u8) -> u32 {
        U8x16::load(block).equal(U8x16::splat(byte)).first()
    }
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().position(|other| *other == byte);
    };
    let mut before = 0;
    for block in bytes.as_chunks().0 {
        match first(block, byte) {
            at @ 0..16 => return Some(before + at as usize),
            _ => before += 16,
        }
    }
    // The last sixteen bytes cover the rest.
    match first(last, byte) {
        at @ 0..16 => Some(bytes.len() - 16 + at as usize),
        _ => None,
    }
}

/// The number of bytes before the first quote, backslash or control character: what a JSON
/// string holds as it is.
pub fn plain_text(bytes: &[u8]) -> usize {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn plain(block: &[u8; 16]) -> u32 {
        let block = U8x16::load(block);
        let quote = block.equal(U8x16::splat(b'"'));
        let backslash = block.equal(U8x16::splat(b'\\'));
        let control = block.less(U8x16::splat(b' '));
        quote.or(backslash).or(control).first()
    }
    let (blocks, rest) = bytes.as_chunks();
    let mut before = 0;
    for block in blocks {
        match plain(block) {
            end @ 0..16 => return before + end as usize,
            _ => before += 16,
        }
    }
    let plain = rest
        .iter()
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..b' '));
    before + plain.count()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for length in 0..150 {
            let bytes: Vec<u8> = (0..length).map(|n| n ^ 0xa5).collect();
            assert_eq!(contain(&bytes, b','), bytes.contains(&b','));
            for place in 0..bytes.len() {
                for (byte, neighbour) in [(0, 1), (1, 0), (b',', b'-'), (0x80, 0), (0xff, 0x7f)] {
                    let mut bytes: Vec<u8> = bytes.iter().map(|_| neighbour).collect();
                    assert!(!contain(&bytes, byte));
                    assert_eq!(position(&bytes, byte), None);
                    bytes[place..].fill(byte);
                    assert!(contain(&bytes, byte), "{length} {place} {byte}");
                    assert_eq!(position(&bytes, byte), Some(place));
                }
            }
        }
    }

    #[test]
    fn plain_text_ends_at_a_quote_a_backslash_or_a_control_character() {
        for length in 0..70 {
            let plain: Vec<u8> = (0..length)
                .map(|n| 0x23 + n)
                .filter(|b| *b != b'\\')
                .collect();
            assert_eq!(plain_text(&plain), plain.len());
            for place in 0..plain.len() {
                for byte in 0..=255 {
                    let mut bytes = plain.clone();
                    bytes[place] = byte;
                    let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(plain_text(&bytes) == place, ends, "{place} {byte}");
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
