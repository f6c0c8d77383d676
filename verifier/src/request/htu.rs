//! The address that a proof of possession is for (`htu`, RFC 9449 §4.3): compared
//! in normal form (RFC 3986 §6.2.2, §6.2.3), without query and fragment.

use alloc::vec::Vec;

use countersign_kernel::bytes;

use super::target::percent_byte;
use crate::base::host;

/// Returns scheme and authority in lower case, without the scheme's default
/// port. `None` if it is no authority of `http` or `https`.
pub(crate) fn origin(scheme: &[u8], authority: &[u8]) -> Option<Vec<u8>> {
    let mut origin = scheme.to_ascii_lowercase();
    let port: &[u8] = match &*origin {
        b"https" => b":443",
        b"http" => b":80",
        _ => return None,
    };
    host(authority).filter(|host| !host.is_empty())?;
    let bare = authority.strip_suffix(port);
    let bare = bare.or_else(|| authority.strip_suffix(b":"));
    origin.extend_from_slice(b"://");
    origin.extend_from_slice(&bare.unwrap_or(authority).to_ascii_lowercase());
    Some(origin)
}

/// Splits an absolute URI into its origin and its path, both in normal form.
pub(crate) fn split(uri: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let colon = bytes::position(uri, b':')?;
    let (scheme, rest) = uri.split_at_checked(colon)?;
    let rest = rest.strip_prefix(b"://")?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte));
    let (authority, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    Some((origin(scheme, authority)?, path(rest)))
}

/// Returns the path of a target in normal form. An escape that needs not be one is
/// decoded; the digits of the others are in upper case.
pub(crate) fn path(target: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let end = target.iter().position(|byte| b"?#".contains(byte));
    let mut rest = target
        .get(..end.unwrap_or(target.len()))
        .unwrap_or_default();
    let mut path = Vec::with_capacity(rest.len());
    if rest.is_empty() {
        path.push(b'/');
    }
    while let Some((&byte, tail)) = rest.split_first() {
        let Some(escaped) = rest.get(..3).and_then(percent_byte) else {
            path.push(byte);
            rest = tail;
            continue;
        };
        rest = rest.get(3..).unwrap_or_default();
        if escaped.is_ascii_alphanumeric() || b"-._~".contains(&escaped) {
            path.push(escaped);
        } else {
            path.push(b'%');
            for digit in [escaped >> 4, escaped & 15] {
                path.extend(DIGITS.get(usize::from(digit)));
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_normal_form() {
        let same = |a: &str, b: &str| {
            let (a, b) = (split(a.as_bytes()), split(b.as_bytes()));
            a.is_some() && a == b
        };
        assert!(same(
            "HTTPS://API.Example.com",
            "https://api.example.com:443/"
        ));
        assert!(same("http://a:80/%7euser?x#y", "HTTP://A/~user"));
        assert!(same("https://a:/%2f%C3%a9", "https://a/%2F%c3%A9"));
        assert!(same("https://[::1]:443/a", "https://[::1]/a"));
        for (a, b) in [
            ("https://a/x", "http://a/x"),
            ("https://a/x", "https://a:8443/x"),
            ("https://a:80/x", "https://a/x"),
            ("https://a/x", "https://a/x/"),
            ("https://a/x", "https://a/X"),
            ("https://a/%2f", "https://a//"),
            ("https://a/x", "https://a.b/x"),
            ("https://a/x", "https://a%2e/x"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
        for refused in [
            "",
            "a",
            "/x",
            "ftp://a/",
            "https:/a",
            "https:///x",
            "https://u@a/x",
        ] {
            assert_eq!(split(refused.as_bytes()), None, "{refused}");
        }
    }
}
