//! Finds the token of a request in the places that the policy lists.

use alloc::{boxed::Box, vec::Vec};

use countersign_kernel::bytes;

use super::Request;
use crate::{
    model::Credential,
    refusal::{Code, Refusal},
};

/// A token, and whether another site could have sent it in a cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented<'a> {
    pub(crate) token: &'a [u8],
    /// Whether all places with this token are marked `same_origin`.
    pub(crate) same_origin: bool,
}

/// Finds the one token of the request, or none. Refuses two different tokens:
/// it is unknown which one a backend uses.
pub(crate) fn find<'a>(
    places: &[Credential],
    request: &Request<'a>,
) -> Result<Option<Presented<'a>>, Refusal> {
    let mut found: Option<Presented<'a>> = None;
    let mut add = |token: &'a [u8], same_origin: bool| match &mut found {
        _ if token.is_empty() => Ok(()),
        Some(first) if !bytes::equal(first.token, token) => Err(Code::TokenMultiple),
        Some(first) => {
            first.same_origin &= same_origin;
            Ok(())
        }
        None => {
            found = Some(Presented { token, same_origin });
            Ok(())
        }
    };
    for place in places {
        match place {
            Credential::Header { name, scheme } => {
                let mut elements = request.values(name).flat_map(elements);
                match scheme {
                    None => elements.try_for_each(|value| add(trim(value), false))?,
                    Some(scheme) => {
                        let (mut ours, mut others) = (false, false);
                        for value in elements {
                            match after_scheme(value, scheme) {
                                None => others = true,
                                Some(token) => {
                                    ours = true;
                                    add(token, false)?;
                                }
                            }
                        }
                        // A header with a token of this scheme has no other
                        // element, neither in a second field nor after a comma.
                        if ours && others {
                            return Err(Code::TokenMultiple.into());
                        }
                    }
                }
            }
            Credential::Cookie { name, same_origin } => {
                for value in cookies(request, name) {
                    add(value, *same_origin)?;
                }
            }
        }
    }
    Ok(found)
}

/// Returns whether a request with a `same_origin` cookie is admitted: its
/// method is safe, or the browser says that the request has the same origin.
pub(crate) fn is_same_origin(request: &Request<'_>) -> bool {
    let safe = matches!(request.method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE");
    if safe && !is_handshake(request) {
        return true;
    }
    let mut sites = request.values("sec-fetch-site").map(trim).peekable();
    if sites.peek().is_some() {
        return sites.all(|site| matches!(site, b"same-origin" | b"none"));
    }
    let mut origins = request.values("origin").map(trim).peekable();
    origins.peek().is_some() && origins.all(|origin| is_origin_of(origin, request.authority))
}

/// Returns whether the request is a WebSocket handshake. Any page can open a
/// WebSocket to any site, with that site's cookies. The handshake is a GET (RFC
/// 6455 §10.2) or an extended CONNECT (RFC 8441 §4).
fn is_handshake(request: &Request<'_>) -> bool {
    let sent = |name| request.values(name).next().is_some();
    let mut modes = request.values("sec-fetch-mode").map(trim);
    sent("upgrade") || sent(":protocol") || modes.any(|mode| mode == b"websocket")
}

/// Returns whether `Connection` names one of these headers. A later hop would
/// remove that header (RFC 9110 §7.6.1).
pub(crate) fn connection_names<'n>(
    request: &Request<'_>,
    names: impl Iterator<Item = &'n str> + Clone,
) -> bool {
    let mut options = request.values("connection").flat_map(elements).map(trim);
    options.any(|option| names.clone().any(|name| is_variant(option, name)))
}

/// Returns whether a field name in lower case, with `_` read as `-`, equals
/// `name`.
pub(crate) fn is_variant(field: &[u8], name: &str) -> bool {
    let read = |byte: &u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    field.iter().map(read).eq(name.bytes())
}

/// Returns whether an origin (RFC 6454 §7) has the host and port of the
/// authority. Both can omit the default port.
fn is_origin_of(origin: &[u8], authority: &[u8]) -> bool {
    let (rest, port) = match (
        origin.strip_prefix(b"https://"),
        origin.strip_prefix(b"http://"),
    ) {
        (Some(rest), _) => (rest, &b":443"[..]),
        (_, Some(rest)) => (rest, &b":80"[..]),
        _ => return false,
    };
    let bare =
        |text: &'_ [u8]| -> usize { text.strip_suffix(port).map_or(text.len(), <[u8]>::len) };
    let (own, origin) = (authority.get(..bare(authority)), rest.get(..bare(rest)));
    match (own, origin) {
        (Some(own), Some(origin)) => !own.is_empty() && own.eq_ignore_ascii_case(origin),
        _ => false,
    }
}

/// Splits a field value into list elements (RFC 9110 §5.6.1). Most values have
/// one.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (one, list) = if bytes::contain(value, b',') {
        (None, Some(value))
    } else {
        (Some(value), None)
    };
    let list = list.into_iter();
    one.into_iter()
        .chain(list.flat_map(|value| value.split(|b| *b == b',')))
}

/// Returns `abc` for `Bearer abc`, and an empty token for the scheme alone.
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let value = trim(value);
    let (head, rest) = value.split_at_checked(scheme.len())?;
    let separated = rest.first().is_none_or(|b| matches!(b, b' ' | b'\t'));
    (head.eq_ignore_ascii_case(scheme.as_bytes()) && separated).then(|| trim(rest))
}

/// Returns the values of a cookie in all `cookie` headers (RFC 6265 §4.2.1).
fn cookies<'a>(request: &Request<'a>, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let pairs = request
        .values("cookie")
        .flat_map(|value| value.split(|b| *b == b';'));
    pairs.filter_map(move |pair| {
        let pair = trim(pair);
        let equals = pair.iter().position(|b| *b == b'=')?;
        let (key, value) = (pair.get(..equals)?, pair.get(equals.checked_add(1)?..)?);
        (trim(key) == name.as_bytes()).then(|| unquote(trim(value)))
    })
}

/// Joins the `cookie` fields into one, without the cookies of these names.
/// `None` if the request has none of these cookies (RFC 6265 §4.2.1).
pub(crate) fn without_cookies(request: &Request<'_>, names: &[Box<str>]) -> Option<Vec<u8>> {
    let (mut kept, mut removed) = (Vec::new(), false);
    for value in request.values("cookie") {
        for pair in value.split(|byte| *byte == b';').map(trim) {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            if names.iter().any(|removed| removed.as_bytes() == trim(name)) {
                removed = true;
            } else if !pair.is_empty() {
                if !kept.is_empty() {
                    kept.extend_from_slice(b"; ");
                }
                kept.extend_from_slice(pair);
            }
        }
    }
    removed.then_some(kept)
}

fn unquote(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// Removes optional white space (RFC 9110 §5.6.3).
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = value.split_first() {
        value = rest;
    }
    while let Some((b' ' | b'\t', rest)) = value.split_last() {
        value = rest;
    }
    value
}
