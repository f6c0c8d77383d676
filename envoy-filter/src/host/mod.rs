//! The functions that Envoy offers. A failure never panics: a refused call
//! returns `None` or has no effect.

pub(crate) mod foreign;
pub(crate) mod http;
pub(crate) mod metric;
pub(crate) mod request;
pub(crate) mod shared;

use std::ptr::null_mut;

/// `WasmBufferType::PluginConfiguration`.
const PLUGIN_CONFIGURATION: u32 = 7;
/// `WasmResult::Ok`.
const OK: u32 = 0;
/// `WasmResult::BadArgument`.
const BAD_ARGUMENT: u32 = 2;

/// `LogLevel`.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
}

pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: the host reads the message during the call.
    unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Returns nanoseconds since the epoch.
pub(crate) fn now_ns() -> Option<u64> {
    let mut time = 0;
    // SAFETY: the host writes one `u64`.
    let status = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
    (status == OK).then_some(time)
}

/// Returns milliseconds since the epoch.
pub(crate) fn now_ms() -> Option<u64> {
    Some(now_ns()? / 1_000_000)
}

/// Sets the tick period of the current plugin. Only valid in a callback of the
/// plugin.
pub(crate) fn set_tick_period(period_ms: u32) {
    // SAFETY: it takes a number.
    unsafe { proxy_set_tick_period_milliseconds(period_ms) };
}

/// Sets the request or plugin to which the following calls apply.
pub(crate) fn set_effective_context(context: u32) -> Option<()> {
    // SAFETY: it takes a number.
    (unsafe { proxy_set_effective_context(context) } == OK).then_some(())
}

/// Returns the configuration of the plugin; empty if there is none.
pub(crate) fn configuration(size: usize) -> Option<Vec<u8>> {
    buffer(PLUGIN_CONFIGURATION, size)
}

fn buffer(kind: u32, size: usize) -> Option<Vec<u8>> {
    // SAFETY: as `take` requires.
    take(|data, length| unsafe { proxy_get_buffer_bytes(kind, 0, size, data, length) })
}

/// Returns a header map for [`pairs::parse`](crate::pairs).
fn header_map(kind: u32) -> Option<Vec<u8>> {
    // SAFETY: as `take` requires.
    take(|data, length| unsafe { proxy_get_header_map_pairs(kind, data, length) })
}

/// Takes bytes from the host, which allocates them with [`allocate`].
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

/// Allocates uninitialised memory, which the host then fills completely.
/// Filling a large buffer with zeros first would take time.
pub(crate) fn allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}
