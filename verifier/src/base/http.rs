//! The grammar of hosts and names in HTTP.

use alloc::borrow::Cow;

/// The kinds of bytes in an authority. A table, because every request has one.
const KINDS: [u8; 256] = kinds();
const UPPER: u8 = 1;
/// A byte of a port, or of an address in brackets.
const PORT: u8 = 2;
const OTHER: u8 = 4;

const fn kinds() -> [u8; 256] {
    let mut kinds = [OTHER; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => 0,
            b'A'..=b'Z' => UPPER,
            b':' | b'[' | b']' => PORT,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
}

/// Returns the host of an authority in lower case, without port and trailing
/// dot. The host of an empty authority is empty. `None` if the authority is
/// invalid.
pub(crate) fn host(authority: &[u8]) -> Option<Cow<'_, str>> {
    if authority.len() > 512 {
        return None;
    }
    let kinds = authority.iter().fold(0, |kinds, byte| {
        kinds | KINDS.get(usize::from(*byte)).map_or(OTHER, |kind| *kind)
    });
    if kinds & OTHER != 0 {
        return None;
    }
    let (bare, lower) = (kinds & PORT == 0, kinds & UPPER == 0);
    let authority = core::str::from_utf8(authority).ok()?;
    let host = if bare {
        authority
    } else {
        without_port(authority)?
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    Some(if lower {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(host.to_ascii_lowercase())
    })
}

fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = if authority.starts_with('[') {
        authority.split_at_checked(authority.find(']')?.checked_add(1)?)?
    } else {
        authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?
    };
    is_port(port).then_some(host)
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

/// `token` of RFC 9110 §5.6.2: methods, header and cookie names.
pub(crate) fn is_token(text: &str) -> bool {
    let tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_lower_case_without_port_and_final_dot() {
        let read = |authority: &str| host(authority.as_bytes()).map(Cow::into_owned);
        assert_eq!(
            read("App.Example.com:8443").as_deref(),
            Some("app.example.com")
        );
        assert_eq!(read("app.example.com.").as_deref(), Some("app.example.com"));
        assert_eq!(read("[::1]:80").as_deref(), Some("[::1]"));
        assert_eq!(read("").as_deref(), Some(""));
        for refused in [
            "a@b", "a/b", "a,b", "a b", "a:b", "::1", "[::1", "a\\b", "a:1:2",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
