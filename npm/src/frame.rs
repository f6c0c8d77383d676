//! Reads a request from one byte buffer that JavaScript writes into the
//! module's memory. JavaScript encodes one string instead of one for each
//! header, and nothing is copied.

use countersign::{Connection, Header, Request};

/// Reads a frame: the number of strings, the length of each string, then the
/// strings. All numbers are little-endian `u32`s. `None` if the frame is
/// invalid.
pub(crate) fn request<'a>(
    frame: &'a [u8],
    headers: &'a mut Vec<Header<'a>>,
) -> Option<Request<'a>> {
    let (count, rest) = number(frame)?;
    let (lengths, bytes) = rest.split_at_checked(count.checked_mul(4)?)?;
    let mut strings = Strings { lengths, bytes };
    let (method, authority, target) = (strings.next()?, strings.next()?, strings.next()?);
    let connection = Connection {
        scheme: strings.next()?,
        certificate: strings.next()?,
        peer: strings.next()?,
    };
    while !strings.lengths.is_empty() {
        headers.push((strings.next()?, strings.next()?));
    }
    strings.bytes.is_empty().then_some(Request {
        method,
        authority,
        target,
        headers,
        connection,
    })
}

/// Reads a frame of alternating names and secrets.
pub(crate) fn secrets(frame: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let (count, rest) = number(frame)?;
    let (lengths, bytes) = rest.split_at_checked(count.checked_mul(4)?)?;
    let mut strings = Strings { lengths, bytes };
    let mut secrets = Vec::new();
    while !strings.lengths.is_empty() {
        secrets.push((str::from_utf8(strings.next()?).ok()?, strings.next()?));
    }
    Some(secrets)
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
