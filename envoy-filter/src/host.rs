//! What Envoy offers, without its failures turning into panics: a call that
//! was refused gives `None` or is as if it had not been made.

use std::ptr::{null, null_mut};

use crate::answer::Answer;

/// `WasmHeaderMapType::RequestHeaders`.
const REQUEST_HEADERS: u32 = 0;
/// `WasmBufferType::PluginConfiguration`.
const PLUGIN_CONFIGURATION: u32 = 7;
/// `WasmResult::Ok`.
const OK: u32 = 0;

/// `LogLevel`.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Warn = 3,
    Error = 4,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32;
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
}

pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: the host reads the message during the call.
    unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Nanoseconds since the epoch.
pub(crate) fn now_ns() -> Option<u64> {
    let mut time = 0;
    // SAFETY: the host writes one `u64`.
    let status = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    (status == OK).then_some(time)
}

/// The plugin's configuration; empty where there is none.
pub(crate) fn configuration(size: usize) -> Option<Vec<u8>> {
    // SAFETY: as `take` asks.
    take(|data, length| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, data, length)
    })
}

/// The request's header map, to be read with [`pairs::parse`](crate::pairs).
pub(crate) fn request_headers() -> Option<Vec<u8>> {
    // SAFETY: as `take` asks.
    take(|data, length| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, length) })
}

pub(crate) fn add_request_header(name: &str, value: &[u8]) -> Option<()> {
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

pub(crate) fn remove_request_header(name: &str) -> Option<()> {
    // SAFETY: the host reads the name during the call.
    let status =
        unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) };
    (status == OK).then_some(())
}

/// Where this fails the request stays paused: it does not pass.
pub(crate) fn respond(answer: &Answer) {
    // SAFETY: the host reads all of it during the call.
    unsafe {
        proxy_send_local_response(
            answer.status,
            answer.details.as_ptr(),
            answer.details.len(),
            answer.body.as_ptr(),
            answer.body.len(),
            if answer.headers.is_empty() {
                null()
            } else {
                answer.headers.as_ptr()
            },
            answer.headers.len(),
            -1,
        )
    };
}

/// Bytes that the host hands over: it allocates them with [`allocate`].
fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    if call(&mut data, &mut size) != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the host got `data` from `allocate` with this very size, and
    // has written all of it.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Memory for what the host is going to hand over.
pub(crate) fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; size].into_boxed_slice()).cast()
}
