//! A request as one run of bytes: one copy into the module's memory instead
//! of one for each header.

use countersign::{Header, Request};

/// `None` if the frame is broken.
pub(crate) fn request<'a>(
    frame: &'a [u8],
    headers: &'a mut Vec<Header<'a>>,
) -> Option<Request<'a>> {
    let mut strings = Strings(frame);
    let (method, authority, target) = (strings.next()?, strings.next()?, strings.next()?);
    while !strings.0.is_empty() {
        headers.push((strings.next()?, strings.next()?));
    }
    Some(Request {
        method,
        authority,
        target,
        headers,
    })
}

struct Strings<'a>(&'a [u8]);

impl<'a> Strings<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let (string, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.0 = rest;
        Some(string)
    }
}
