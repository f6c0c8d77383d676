//! The grammar of hosts and names in HTTP.

use alloc::borrow::Cow;

use countersign_kernel::bytes;

use super::kinds;

/// Returns the host of an authority in lower case, without port and trailing
/// dot: visible ASCII. The host of an empty authority is empty. `None` if the
/// authority is invalid.
pub(crate) fn host(authority: &[u8]) -> Option<Cow<'_, [u8]>> {
    if authority.len() > 512 {
        return None;
    }
    let kinds = kinds::of(authority);
    if kinds & kinds::NO_AUTHORITY != 0 {
        return None;
    }
    let (bare, lower) = (kinds & kinds::PORT == 0, kinds & kinds::UPPER == 0);
    let host = if bare {
        authority
    } else {
        without_port(authority)?
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    Some(if lower {
        Cow::Borrowed(host)
    } else {
        Cow::Owned(host.to_ascii_lowercase())
    })
}

fn without_port(authority: &[u8]) -> Option<&[u8]> {
    let end = match authority.first() {
        Some(b'[') => bytes::position(authority, b']')?.checked_add(1)?,
        _ => bytes::position(authority, b':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end)?;
    is_port(port).then_some(host)
}

fn is_port(text: &[u8]) -> bool {
    text.is_empty()
        || text
            .strip_prefix(b":")
            .is_some_and(|port| port.iter().all(u8::is_ascii_digit))
}

/// `token` of RFC 9110 §5.6.2: methods, header and cookie names.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && kinds::of(text) & kinds::NO_TOKEN == 0
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn a_host_is_lower_case_without_port_and_final_dot() {
        let text = |host: Cow<'_, [u8]>| String::from_utf8(host.into_owned()).unwrap();
        let read = |authority: &str| host(authority.as_bytes()).map(text);
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
