//! Takes tokens out of a request: cookies, parameters of the query, and
//! subprotocols. What else these fields hold goes on as it was sent.

use alloc::vec::Vec;

use super::fields::{
    elements, in_header, in_protocol, in_query, parameters, protocols, trim, unquote,
};
use crate::{
    model::{Credentials, Place},
    request::Request,
};

/// Joins the `cookie` fields into one, without the cookies for which `goes`
/// returns true of name and value. `None` if no cookie goes (RFC 6265 §4.2.1).
pub(crate) fn without_cookies(
    request: &Request<'_>,
    goes: &dyn Fn(&[u8], &[u8]) -> bool,
) -> Option<Vec<u8>> {
    let pairs = request
        .values("cookie")
        .flat_map(|value| value.split(|byte| *byte == b';'));
    let goes = |pair: &[u8]| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=').map(trim);
        let name = parts.next().unwrap_or_default();
        goes(name, unquote(parts.next().unwrap_or_default()))
    };
    without(&mut pairs.map(trim), &goes, b"; ")
}

/// Returns the target without the parameters that the list reads, or `None` if
/// it has none of them.
pub(crate) fn without_parameters(target: &[u8], list: &Credentials) -> Option<Vec<u8>> {
    let goes = |parameter: &[u8]| list.any(&|place| in_query(place, parameter).is_some());
    let mut kept = without(&mut parameters(target), &goes, b"&")?;
    if !kept.is_empty() {
        kept.insert(0, b'?');
    }
    let path = target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    Some([path, &kept].concat())
}

/// Returns the subprotocols without those that the list reads, or `None` if the
/// request has none of them.
pub(crate) fn without_protocols(request: &Request<'_>, list: &Credentials) -> Option<Vec<u8>> {
    let mut removed = false;
    let mut kept = Vec::new();
    for (before, element) in protocols(request) {
        if list.any(&|place| in_protocol(place, before, element).is_some()) {
            removed = true;
        } else {
            join(&mut kept, element, b", ");
        }
    }
    removed.then_some(kept)
}

/// Returns whether a header holds a token of this place that is not this one.
pub(crate) fn holds_other(request: &Request<'_>, place: &Place, token: &[u8]) -> bool {
    let Place::Header { name, .. } = place else {
        return false;
    };
    let mut elements = request.values(name).flat_map(elements).map(trim);
    elements.any(|element| {
        in_header(place, element).is_some_and(|held| !held.is_empty() && *held != *token)
    })
}

/// Joins what does not go. `None` if nothing goes.
fn without<'a>(
    parts: &mut dyn Iterator<Item = &'a [u8]>,
    goes: &dyn Fn(&[u8]) -> bool,
    separator: &[u8],
) -> Option<Vec<u8>> {
    let (mut kept, mut removed) = (Vec::new(), false);
    for part in parts {
        if goes(part) {
            removed = true;
        } else if !part.is_empty() {
            join(&mut kept, part, separator);
        }
    }
    removed.then_some(kept)
}

fn join(kept: &mut Vec<u8>, part: &[u8], separator: &[u8]) {
    if !kept.is_empty() {
        kept.extend_from_slice(separator);
    }
    kept.extend_from_slice(part);
}
