//! Makes a request what its backend may see.

use countersign::{Change, Grant};

use crate::{host::request, request::Head};

/// Removes what only this filter may set, and the credential where it is to
/// be stripped; then sets what the backend is told. `None` where Envoy
/// refuses: the request must not pass.
pub(crate) fn apply(grant: &Grant, head: &Head<'_>) -> Option<()> {
    for name in grant.remove_headers.iter().filter(|name| head.has(name)) {
        request::remove_header(name)?;
    }
    for (name, value) in grant.set_headers.iter() {
        request::add_header(name, value.as_bytes())?;
    }
    for change in &grant.changes {
        match change {
            Change::SetHeader(name, value) => {
                request::remove_header(name)?;
                request::add_header(name, value)?;
            }
            Change::RemoveHeader(name) => request::remove_header(name)?,
        }
    }
    Some(())
}
