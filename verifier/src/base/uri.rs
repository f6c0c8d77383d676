//! The check of URIs that a host fetches, and the encoding of forms.

use alloc::string::String;

/// Checks that a URI is an absolute `https` URL (RFC 3986 §4.3) with a host, or
/// an `http` URL if the policy allows it. It has no user information and no
/// fragment, and only visible ASCII. The error is a clause that continues a
/// sentence after the URI.
pub(crate) fn fetchable(uri: &str, insecure_http: bool) -> Result<(), &'static str> {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
    if uri.len() > 2048 || !uri.bytes().all(plain) {
        return Err("is not a URL: only visible ASCII, no fragment, at most 2048 bytes");
    }
    let rest = match (uri.strip_prefix("https://"), uri.strip_prefix("http://")) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if insecure_http => rest,
        (None, Some(_)) => {
            return Err("is plain http: use https, or say `\"insecure_http\": true`");
        }
        (None, None) => return Err("is not an absolute https URL"),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("names a user: credentials do not belong in a policy");
    }
    match super::host(authority.as_bytes()) {
        Some(host) if !host.is_empty() => Ok(()),
        _ => Err("has no valid host"),
    }
}

/// Adds bytes in the encoding of forms (RFC 6749, Appendix B). A space becomes
/// `%20`, which every server reads.
pub(crate) fn push_form(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._".contains(byte) {
            text.push(char::from(*byte));
            continue;
        }
        text.push('%');
        for nibble in [byte >> 4, byte & 15] {
            let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            text.push(digit.to_ascii_uppercase());
        }
    }
}
