//! Makes a request what its backend may see.

use countersign::{Gate, Grant};

use crate::{cookies, fields::is_read_as, host::request, request::Head};

/// Removes what only this filter may set, and the credential where it is to
/// be stripped; then sets what the backend is told. `None` where Envoy
/// refuses: the request must not pass.
pub(crate) fn apply(grant: &Grant, head: &Head<'_>) -> Option<()> {
    clean(head, &grant.remove_headers, request::remove_header)?;
    if !grant.remove_cookies.is_empty() && head.has("cookie") {
        request::remove_header(b"cookie")?;
        for value in head.values(b"cookie") {
            let kept = cookies::without(value, &grant.remove_cookies);
            if !kept.is_empty() {
                request::add_header("cookie", &kept)?;
            }
        }
    }
    for (name, value) in grant.set_headers.iter() {
        request::add_header(name, value.as_bytes())?;
    }
    Some(())
}

/// What only the gate may say, or reads: of no trailer is it true.
pub(crate) fn spoken(gate: &Gate) -> Vec<Box<str>> {
    let removed = gate.anonymous().remove_headers;
    let read = gate.reads().into_iter().map(Box::from);
    removed.iter().cloned().chain(read).collect()
}

/// Removes every field that a backend may read as one of these names.
pub(crate) fn clean(
    fields: &Head<'_>,
    names: &[Box<str>],
    remove: impl Fn(&[u8]) -> Option<()>,
) -> Option<()> {
    let mut removed: Vec<&[u8]> = Vec::new();
    for name in fields.names() {
        if names.iter().any(|wanted| is_read_as(name, wanted)) && !removed.contains(&name) {
            remove(name)?;
            removed.push(name);
        }
    }
    Some(())
}
