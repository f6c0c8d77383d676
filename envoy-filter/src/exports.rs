//! The functions that Envoy calls. An absent callback costs Envoy nothing, so
//! this file has only callbacks that do something.

use crate::{host, worker};

/// Declares the version of the ABI. Envoy never calls it.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// The first function that Envoy calls. It has nothing to do.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {}

/// Allocates the memory in which Envoy passes bytes.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut u8 {
    host::allocate(size)
}

/// Begins a plugin (`parent` is 0) or a request of the plugin `parent`.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    worker::begin(context, parent);
}

/// Configures a plugin. `false` refuses the configuration.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(plugin: u32, size: usize) -> bool {
    worker::configure(plugin, size)
}

/// Runs at the end of each tick period of the plugin.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(plugin: u32) {
    worker::tick(plugin);
}

/// Handles the end of a fetch of the plugin. Without headers it failed.
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

/// Handles the headers of a request: 0 continues it, 1 stops it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(request: u32, _count: usize, _end: bool) -> u32 {
    u32::from(!worker::admit(request))
}

/// Handles the trailers of a request: 0 continues, 1 stops.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(request: u32, _count: usize) -> u32 {
    u32::from(!worker::clean_trailers(request))
}

/// Ends a plugin or a request.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    worker::end(context);
}
