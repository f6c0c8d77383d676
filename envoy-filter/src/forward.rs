//! Makes a request what its backend may see.

use countersign::{Change, Gate, Grant};

use crate::{fields::is_read_as, host::request, request::Head};

/// Removes what only this filter may set, and the credential where it is to
/// be stripped; then sets what the backend is told. `None` where Envoy
/// refuses: the request must not pass.
pub(crate) fn apply(grant: &Grant, head: &Head<'_>) -> Option<()> {
    clean(head, &grant.remove_headers, request::remove_header)?;
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
        }
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
