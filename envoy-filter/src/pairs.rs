//! Header maps in the encoding of proxy-wasm: the count, all lengths, then
//! names and values, each with a final NUL. Numbers are little-endian `u32`.

/// Returns names and values in order; `None` if the bytes are not a valid
/// header map.
pub(crate) fn parse(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = bytes.split_first_chunk()?;
    let count = u32::from_le_bytes(*count) as usize;
    let (lengths, mut strings) = rest.split_at_checked(count.checked_mul(8)?)?;
    let (lengths, _) = lengths.as_chunks::<4>();
    let (lengths, _) = lengths.as_chunks::<2>();
    let mut pairs = Vec::with_capacity(count);
    for [name, value] in lengths {
        pairs.push((take(name, &mut strings)?, take(value, &mut strings)?));
    }
    Some(pairs)
}

/// Takes a string of this length, and its NUL.
#[inline(always)]
fn take<'b>(length: &[u8; 4], strings: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32::from_le_bytes(*length) as usize;
    let (string, rest) = strings.split_at_checked(length)?;
    let (end, rest) = rest.split_first()?;
    *strings = rest;
    (*end == 0).then_some(string)
}

/// Writes a header map: the inverse of [`parse`].
pub(crate) fn write(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = length(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(length(name.len()));
        bytes.extend(length(value.len()));
    }
    for (name, value) in pairs {
        for string in [name, value] {
            bytes.extend(string.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}

/// Every length fits in a `u32`: the address space has 32 bits.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_map_is_read_back() {
        let pairs = [(":path", "/a?b"), ("cookie", ""), ("cookie", "a=b; c=d")];
        let read: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        assert_eq!(parse(&write(&pairs)), Some(read));
    }

    #[test]
    fn an_empty_map_has_two_forms() {
        assert_eq!(parse(b""), Some(vec![]));
        assert_eq!(parse(&[0, 0, 0, 0]), Some(vec![]));
    }

    #[test]
    fn truncated_bytes_are_refused() {
        let whole = write(&[("a", "1"), ("b", "2")]);
        for length in 1..whole.len() {
            assert_eq!(
                parse(&whole[..length]),
                None,
                "{length} of {} bytes",
                whole.len()
            );
        }
    }

    #[test]
    fn a_count_or_length_beyond_the_bytes_is_refused() {
        assert_eq!(parse(&[0xff; 4]), None);
        assert_eq!(
            parse(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0]),
            None
        );
    }
}
