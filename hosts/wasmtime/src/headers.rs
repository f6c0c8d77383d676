//! The changes of a grant to its request.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{InvalidHeaderName, InvalidHeaderValue},
    request::Parts,
    uri::PathAndQuery,
};

use crate::{
    decision::{Change, Grant},
    request::is_same_name,
};

/// Removes first, then sets, then changes. An error leaves a request that must
/// not be used.
pub(crate) fn apply(grant: &Grant, parts: &mut Parts) -> Result<(), NotAHeader> {
    let headers = &mut parts.headers;
    remove(&grant.remove_headers, headers);
    for (name, value) in &*grant.set_headers {
        headers.insert(
            HeaderName::from_bytes(name.as_bytes())?,
            HeaderValue::from_str(value)?,
        );
    }
    for change in &grant.changes {
        match change {
            Change::SetHeader(name, value) => {
                headers.insert(
                    HeaderName::from_bytes(name.as_bytes())?,
                    HeaderValue::from_bytes(value)?,
                );
            }
            Change::RemoveHeader(name) => {
                headers.remove(HeaderName::from_bytes(name.as_bytes())?);
            }
            Change::SetTarget(_) => {}
        }
    }
    for change in &grant.changes {
        if let Change::SetTarget(target) = change {
            let target = PathAndQuery::try_from(&**target).map_err(|_| NotAHeader)?;
            set_target(parts, target).ok_or(NotAHeader)?;
        }
    }
    Ok(())
}

#[cfg(feature = "axum")]
use crate::nested::set_target;

#[cfg(not(feature = "axum"))]
fn set_target(parts: &mut Parts, target: PathAndQuery) -> Option<()> {
    parts.uri = crate::request::with_target(&parts.uri, target)?;
    Some(())
}

/// Removes every field of these names, in any spelling.
pub(crate) fn remove(names: &[String], headers: &mut HeaderMap) {
    let is_one = |name: &&HeaderName| {
        let name = name.as_str().as_bytes();
        names.iter().any(|removed| is_same_name(removed, name))
    };
    let removed = headers.keys().filter(is_one).cloned().collect::<Vec<_>>();
    for name in removed {
        headers.remove(name);
    }
}

/// A name, a value or a target that HTTP cannot carry.
pub(crate) struct NotAHeader;

impl From<InvalidHeaderName> for NotAHeader {
    fn from(_: InvalidHeaderName) -> Self {
        Self
    }
}

impl From<InvalidHeaderValue> for NotAHeader {
    fn from(_: InvalidHeaderValue) -> Self {
        Self
    }
}
