//! The request that the present call is about.

use super::OK;
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

/// Its header map, to be read with [`pairs::parse`](crate::pairs).
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

/// Removes every field of exactly this name.
pub(crate) fn remove_header(name: &[u8]) -> Option<()> {
    remove(REQUEST_HEADERS, name)
}

/// Its trailers, to be read with [`pairs::parse`](crate::pairs); in their
/// callback only.
pub(crate) fn trailers() -> Option<Vec<u8>> {
    super::header_map(REQUEST_TRAILERS)
}

/// Removes every trailer of exactly this name; in their callback only.
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

/// Lets a request go on that had been stopped.
pub(crate) fn resume() {
    // SAFETY: it takes a number.
    unsafe { proxy_continue_stream(REQUEST) };
}

/// Where this fails the request stays stopped: it does not pass.
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
