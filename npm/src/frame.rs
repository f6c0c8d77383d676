//! A request as one run of bytes, written by JavaScript into the module's own
//! memory: one string to encode instead of one for each header, and no copy.

use countersign::{Header, Request};

/// Lengths of all strings, then the strings: all numbers are little-endian
/// `u32`s, the first of which says how many lengths follow. `None` if the
/// frame is broken.
pub(crate) fn request<'a>(
    frame: &'a [u8],
    headers: &'a mut Vec<Header<'a>>,
) -> Option<Request<'a>> {
    let (count, rest) = number(frame)?;
    let (lengths, bytes) = rest.split_at_checked(count.checked_mul(4)?)?;
    let mut strings = Strings { lengths, bytes };
    let (method, authority, target) = (strings.next()?, strings.next()?, strings.next()?);
    while !strings.lengths.is_empty() {
        headers.push((strings.next()?, strings.next()?));
    }
    strings.bytes.is_empty().then_some(Request {
        method,
        authority,
        target,
        headers,
    })
}

struct Strings<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Strings<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, lengths) = number(self.lengths)?;
        let (string, bytes) = self.bytes.split_at_checked(length)?;
        *self = Self { lengths, bytes };
        Some(string)
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}
