//! Reads the fields of a request that hold tokens: lists, cookies, the query.

use alloc::{borrow::Cow, vec::Vec};

use countersign_kernel::bytes::{self, base64url};

use crate::{
    model::Place,
    refusal::Code,
    request::{Request, target::percent_decode},
};

/// What is read in place of a token that cannot be decoded. It is no compact
/// JWS.
const MALFORMED: Cow<'static, [u8]> = Cow::Borrowed(b".");

/// Refuses a request whose `Connection` names one of these headers. A later hop
/// would remove that header (RFC 9110 §7.6.1).
pub(crate) fn refuse_connection<'n>(
    request: &Request<'_>,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Result<(), Code> {
    request.each_in("connection", b',', &mut |option| match names
        .clone()
        .any(|name| is_variant(option, name))
    {
        true => Err(Code::RequestAmbiguous),
        false => Ok(()),
    })
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

/// Returns the token of a header's element, if the element has the scheme.
pub(super) fn in_header<'a>(place: &Place, element: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match place {
        Place::Header { scheme: None, .. } => Some(Cow::Borrowed(element)),
        Place::Header {
            scheme: Some(scheme),
            ..
        } => {
            let value = after_scheme(element, scheme)?;
            Some(match scheme.eq_ignore_ascii_case("basic") {
                true => password(value),
                false => Cow::Borrowed(value),
            })
        }
        _ => None,
    }
}

/// Returns `abc` for `Bearer abc`, and an empty token for the scheme alone.
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    let separated = rest.first().is_none_or(|b| matches!(b, b' ' | b'\t'));
    let scheme = scheme.as_bytes();
    let is_scheme = bytes::equal(head, scheme) || head.eq_ignore_ascii_case(scheme);
    (is_scheme && separated).then(|| trim(rest))
}

/// Returns the password of the Basic scheme (RFC 7617 §2).
fn password(value: &[u8]) -> Cow<'_, [u8]> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    let split = |mut pair: Vec<u8>| {
        let colon = bytes::position(&pair, b':')?;
        Some(Cow::Owned(pair.split_off(colon.saturating_add(1))))
    };
    padded(value).and_then(split).unwrap_or(MALFORMED)
}

/// Decodes padded base64 (RFC 4648 §4).
fn padded(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text
        .iter()
        .rev()
        .take(2)
        .take_while(|b| **b == b'=')
        .count();
    if !text.len().is_multiple_of(4) || text.iter().any(|b| matches!(b, b'-' | b'_')) {
        return None;
    }
    let text = text.get(..text.len().checked_sub(padding)?)?;
    let url = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => *byte,
    };
    base64url::decode(&text.iter().map(url).collect::<Vec<u8>>())
}

/// Returns the value of a cookie, if it has this name (RFC 6265 §4.2.1).
pub(super) fn in_cookie<'a>(name: &str, pair: &'a [u8]) -> Option<&'a [u8]> {
    let equals = bytes::position(pair, b'=')?;
    let (key, value) = (pair.get(..equals)?, pair.get(equals.checked_add(1)?..)?);
    (trim(key) == name.as_bytes()).then(|| unquote(trim(value)))
}

/// Returns the query of a target.
pub(super) fn query(target: &[u8]) -> &[u8] {
    let query = bytes::position(target, b'?').and_then(|at| target.get(at.saturating_add(1)..));
    query.unwrap_or_default()
}

/// Returns the value of a parameter, if it has this name.
pub(super) fn in_query<'a>(place: &Place, parameter: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let Place::Query(name) = place else {
        return None;
    };
    let end = bytes::position(parameter, b'=').unwrap_or(parameter.len());
    let (key, value) = parameter.split_at_checked(end)?;
    if percent_decode(key)? != name.as_bytes() {
        return None;
    }
    let value = value.strip_prefix(b"=").unwrap_or(value);
    Some(percent_decode(value).map_or(MALFORMED, Cow::Owned))
}

/// The field with a WebSocket's subprotocols (RFC 6455 §11.3.4).
pub(crate) const PROTOCOLS: &str = "sec-websocket-protocol";

/// Visits the subprotocols, each after the one before it.
pub(super) fn each_protocol<'a>(
    request: &Request<'a>,
    visit: &mut dyn FnMut(&'a [u8], &'a [u8]) -> Result<(), Code>,
) -> Result<(), Code> {
    let mut before: &[u8] = &[];
    request.each_in(PROTOCOLS, b',', &mut |element| {
        if element.is_empty() {
            return Ok(());
        }
        visit(core::mem::replace(&mut before, element), element)
    })
}

/// Returns the token of a subprotocol, if it holds one.
pub(super) fn in_protocol<'a>(
    place: &Place,
    before: &[u8],
    element: &'a [u8],
) -> Option<Cow<'a, [u8]>> {
    let Place::Protocol {
        after,
        prefix,
        base64url,
    } = place
    else {
        return None;
    };
    let text = match after.is_empty() {
        true => element.strip_prefix(prefix.as_bytes())?,
        false => (before == after.as_bytes()).then_some(element)?,
    };
    Some(match base64url {
        true => base64url::decode(text).map_or(MALFORMED, Cow::Owned),
        false => Cow::Borrowed(text),
    })
}

pub(super) fn unquote(value: &[u8]) -> &[u8] {
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
