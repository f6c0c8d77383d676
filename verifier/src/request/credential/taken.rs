//! Takes tokens out of a request: cookies, parameters of the query, and
//! subprotocols. What else these fields hold goes on as it was sent.

use alloc::vec::Vec;

use countersign_kernel::bytes;

use super::fields::{each_protocol, in_header, in_protocol, in_query, query, trim, unquote};
use crate::{
    model::{Credentials, Place},
    request::{Request, each_part},
};

/// Joins the `cookie` fields into one, without the cookies for which `goes`
/// returns true of name and value. `None` if no cookie goes (RFC 6265 §4.2.1).
pub(crate) fn without_cookies(
    request: &Request<'_>,
    goes: &dyn Fn(&[u8], &[u8]) -> bool,
) -> Option<Vec<u8>> {
    let mut kept = Kept::default();
    let _ = request.each_in("cookie", b';', &mut |pair| {
        let end = bytes::position(pair, b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(end).unwrap_or((pair, &[]));
        let value = value.strip_prefix(b"=").unwrap_or(value);
        kept.add(pair, goes(trim(name), unquote(trim(value))), b"; ");
        Ok(())
    });
    kept.into_joined()
}

/// Returns the target without the parameters that the list reads, or `None` if
/// it has none of them.
pub(crate) fn without_parameters(target: &[u8], list: &Credentials) -> Option<Vec<u8>> {
    let query = query(target);
    let mut kept = Kept::default();
    let _ = each_part(query, b'&', &mut |parameter| {
        let goes = list.any(&|place| in_query(place, parameter).is_some());
        kept.add(parameter, goes, b"&");
        Ok(())
    });
    let mut kept = kept.into_joined()?;
    if !kept.is_empty() {
        kept.insert(0, b'?');
    }
    let path = target.len().checked_sub(query.len().checked_add(1)?)?;
    Some([target.get(..path)?, &kept].concat())
}

/// Returns the subprotocols without those that the list reads, or `None` if the
/// request has none of them.
pub(crate) fn without_protocols(request: &Request<'_>, list: &Credentials) -> Option<Vec<u8>> {
    let mut kept = Kept::default();
    let _ = each_protocol(request, &mut |before, element| {
        let goes = list.any(&|place| in_protocol(place, before, element).is_some());
        kept.add(element, goes, b", ");
        Ok(())
    });
    kept.into_joined()
}

/// Returns whether a header holds a token of this place that is not this one.
pub(crate) fn holds_other(request: &Request<'_>, place: &Place, token: &[u8]) -> bool {
    let Place::Header { name, .. } = place else {
        return false;
    };
    let mut holds = false;
    let _ = request.each_in(name, b',', &mut |element| {
        holds |= in_header(place, element).is_some_and(|held| !held.is_empty() && *held != *token);
        Ok(())
    });
    holds
}

/// What stays of a field.
#[derive(Default)]
struct Kept {
    joined: Vec<u8>,
    removed: bool,
}

impl Kept {
    fn add(&mut self, part: &[u8], goes: bool, separator: &[u8]) {
        if goes {
            self.removed = true;
        } else if !part.is_empty() {
            if !self.joined.is_empty() {
                self.joined.extend_from_slice(separator);
            }
            self.joined.extend_from_slice(part);
        }
    }

    /// `None` if nothing goes.
    fn into_joined(self) -> Option<Vec<u8>> {
        self.removed.then_some(self.joined)
    }
}
