//! base64url without padding, canonical (RFC 7515 §2, RFC 4648 §3.5): one text
//! for every sequence of bytes, or a token could be written in several ways.

use alloc::{string::String, vec::Vec};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// `None` for padding, another alphabet, white space or stray bits at the end.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
