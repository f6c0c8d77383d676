//! The request of the current callback.

use super::{OK, foreign};
use crate::answer::Answer;

/// `WasmHeaderMapType::RequestHeaders`.
const REQUEST_HEADERS: u32 = 0;
/// `WasmHeaderMapType::RequestTrailers`.
const REQUEST_TRAILERS: u32 = 1;
/// `WasmStreamType::Request`.
const REQUEST: u32 = 0;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
}

/// Returns the header map for [`pairs::parse`](crate::pairs).
pub(crate) fn headers() -> Option<Vec<u8>> {
    super::header_map(REQUEST_HEADERS)
}

pub(crate) fn add_header(name: &str, value: &[u8]) -> Option<()> {
    // SAFETY: the host reads both during the call.
    let status = unsafe {
        proxy_add_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    (status == OK).then_some(())
}

/// Removes every field with exactly this name.
pub(crate) fn remove_header(name: &[u8]) -> Option<()> {
    remove(REQUEST_HEADERS, name)
}

/// Returns the trailers for [`pairs::parse`](crate::pairs). Only valid in their
/// callback.
pub(crate) fn trailers() -> Option<Vec<u8>> {
    super::header_map(REQUEST_TRAILERS)
}

/// Removes every trailer with exactly this name. Only valid in their callback.
pub(crate) fn remove_trailer(name: &[u8]) -> Option<()> {
    remove(REQUEST_TRAILERS, name)
}

fn remove(map: u32, name: &[u8]) -> Option<()> {
    // SAFETY: the host reads the name during the call.
    let status = unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) };
    (status == OK).then_some(())
}

/// Sets the filter state `wasm.<name>`.
pub(crate) fn set_property(name: &str, value: &[u8]) -> Option<()> {
    // SAFETY: the host reads both during the call.
    let status =
        unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    (status == OK).then_some(())
}

/// Continues a stopped request.
pub(crate) fn resume() {
    // SAFETY: it takes a number.
    unsafe { proxy_continue_stream(REQUEST) };
}

/// Sends a local response. If this fails, the request stays stopped, so it does
/// not pass.
pub(crate) fn respond(answer: &Answer) {
    // SAFETY: the host reads all of it during the call.
    unsafe {
        proxy_send_local_response(
            answer.status,
            answer.details.as_ptr(),
            answer.details.len(),
            answer.body.as_ptr(),
            answer.body.len(),
            answer.headers.as_ptr(),
            answer.headers.len(),
            answer.grpc_status,
        )
    };
}

/// Returns the SHA-256 of the certificate with which the client has authenticated
/// in TLS, if it has.
pub(crate) fn certificate() -> Option<[u8; 32]> {
    let digest = foreign::expression("connection.sha256_peer_certificate_digest")?;
    let digits = digest.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
