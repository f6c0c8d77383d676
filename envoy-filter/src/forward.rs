//! Applies a grant to a request.

use countersign::{Change, Gate, Grant};

use crate::{fields::is_read_as, host::request, request::Head};

/// Removes the headers that only this filter sets, and the credential if the
/// policy strips it. Then it sets the headers of the principal. `None` if Envoy
/// refuses a change: then the request must not pass.
pub(crate) fn apply(grant: &Grant, head: &Head<'_>) -> Option<()> {
    remove_matching(head, &grant.remove_headers, request::remove_header)?;
    for (name, value) in grant.set_headers.iter() {
        request::add_header(name, value.as_bytes())?;
    }
    for change in &grant.changes {
        match change {
            Change::SetHeader(name, value) => {
                request::remove_header(name.as_bytes())?;
                request::add_header(name, value)?;
            }
            Change::RemoveHeader(name) => request::remove_header(name.as_bytes())?,
            Change::SetTarget(target) => {
                request::remove_header(b":path")?;
                request::add_header(":path", target)?;
            }
        }
    }
    Some(())
}

/// Returns the names that must not be in trailers: headers that only the gate
/// sets, and headers that it reads.
pub(crate) fn protected_names(gate: &Gate) -> Vec<Box<str>> {
    let removed = gate.anonymous().remove_headers;
    let read = gate.reads().into_iter().map(Box::from);
    removed.iter().cloned().chain(read).collect()
}

/// Removes every field that a backend could read as one of these names.
pub(crate) fn remove_matching(
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
