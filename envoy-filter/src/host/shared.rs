//! The shared data of all workers of this Envoy, by key.

use super::{OK, take};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
}

/// Returns a value and its version. Every change gives a new version. `None` if
/// the value was never set.
pub(crate) fn get(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut version = 0;
    // SAFETY: as `take` requires; the host also writes one `u32`.
    let value = take(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut version)
    })?;
    Some((value, version))
}

/// Sets a value unconditionally.
pub(crate) fn set(key: &str, value: &[u8]) {
    replace(key, value, 0);
}

/// Sets a value if it still has this version; returns `None` if not.
pub(crate) fn replace(key: &str, value: &[u8], version: u32) -> Option<()> {
    // SAFETY: the host reads both during the call.
    let status = unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    (status == OK).then_some(())
}
