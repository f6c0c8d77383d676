//! Converts values of the canonical ABI to the gate's types, without copying.

use crate::bindings::exports::countersign::gate::gate as wit;
use countersign::{Header, Request};

pub(crate) fn headers(request: &wit::Request) -> Vec<Header<'_>> {
    request
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect()
}

pub(crate) fn request<'a>(request: &'a wit::Request, headers: &'a [Header<'a>]) -> Request<'a> {
    Request {
        method: &request.method,
        authority: &request.authority,
        target: &request.target,
        headers,
    }
}
