//! What Envoy calls. Callbacks that are absent cost it nothing, so only
//! those that do something are here.

use crate::{host, worker};

/// Says which ABI this is; never called.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// The start, before anything else is called. There is nothing to do.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {}

/// Envoy asks for the memory in which it hands over bytes.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    host::allocate(size)
}

/// A plugin (`parent` is 0) or a request of the plugin `parent` begins.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    worker::begin(context, parent);
}

/// The configuration of a plugin is there; `false` refuses it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(plugin: u32, size: usize) -> bool {
    worker::configure(plugin, size)
}

/// The period that the plugin has asked for is over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(plugin: u32) {
    worker::tick(plugin);
}

/// A fetch of the plugin ended; without headers it failed.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    plugin: u32,
    call: u32,
    headers: usize,
    body_size: usize,
    _trailers: usize,
) {
    worker::fetched(plugin, call, (headers > 0).then_some(body_size));
}

/// A request's headers are there: 0 lets it go on, 1 stops it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(request: u32, _count: usize, _end: bool) -> u32 {
    u32::from(!worker::admit(request))
}

/// A request's trailers are there: 0 lets them go on.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(request: u32, _count: usize) -> u32 {
    u32::from(!worker::clean_trailers(request))
}

/// A plugin or request is over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    worker::end(context);
}
