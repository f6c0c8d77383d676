//! Makes a request what its backend may see.

use countersign::Grant;

use crate::{cookies, host::request, request::Head};

/// Removes what only this filter may set, and the credential where it is to
/// be stripped; then sets what the backend is told. `None` where Envoy
/// refuses: the request must not pass.
pub(crate) fn apply(grant: &Grant, head: &Head<'_>) -> Option<()> {
    for name in grant.remove_headers.iter().filter(|name| head.has(name)) {
        request::remove_header(name)?;
    }
    if !grant.remove_cookies.is_empty() && head.has("cookie") {
        request::remove_header("cookie")?;
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
