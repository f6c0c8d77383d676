//! HTTP calls through Envoy's clusters.

use super::{BAD_ARGUMENT, OK};

/// `WasmBufferType::HttpCallResponseBody`.
const RESPONSE_BODY: u32 = 4;
/// `WasmHeaderMapType::HttpCallResponseHeaders`.
const RESPONSE_HEADERS: u32 = 6;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        call: *mut u32,
    ) -> u32;
}

/// Why a call was not started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Envoy has no cluster of this name, or does not have it yet.
    NoCluster,
    /// The cluster has no usable host.
    NoHost,
}

/// Starts a call. Returns its number.
pub(crate) fn call(
    cluster: &str,
    headers: &[u8],
    body: &[u8],
    timeout_ms: u32,
) -> Result<u32, Refusal> {
    let (nothing, mut call): (&[u8], _) = (b"", 0);
    // SAFETY: the host reads all of it during the call, and writes one `u32`.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            nothing.as_ptr(),
            nothing.len(),
            timeout_ms,
            &mut call,
        )
    };
    match status {
        OK => Ok(call),
        BAD_ARGUMENT => Err(Refusal::NoCluster),
        _ => Err(Refusal::NoHost),
    }
}

/// Returns the header map of the response. Only valid in the callback of its
/// call.
pub(crate) fn response_headers() -> Option<Vec<u8>> {
    super::header_map(RESPONSE_HEADERS)
}

/// Returns the body of the response. Only valid in the callback of its call.
pub(crate) fn response_body(size: usize) -> Option<Vec<u8>> {
    super::buffer(RESPONSE_BODY, size)
}
