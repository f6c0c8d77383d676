//! The functions that a proxy offers by name, beyond proxy-wasm.

use super::{OK, take};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> u32;
}

/// `WasmResult::NotFound`.
const NOT_FOUND: u32 = 1;

/// Calls a function. The error is the status.
pub(crate) fn call(name: &str, arguments: &[u8]) -> Result<Vec<u8>, u32> {
    let mut status = OK;
    let result = take(|data, size| {
        // SAFETY: as `take` requires; the host reads both strings during the call.
        status = unsafe {
            proxy_call_foreign_function(
                name.as_ptr(),
                name.len(),
                arguments.as_ptr(),
                arguments.len(),
                data,
                size,
            )
        };
        status
    });
    result.ok_or(status)
}

/// Returns whether this proxy has a function. A call without arguments does
/// nothing.
pub(crate) fn exists(name: &str) -> bool {
    call(name, b"") != Err(NOT_FOUND)
}

/// Returns the value of an expression (CEL) that is a string.
pub(crate) fn expression(text: &str) -> Option<String> {
    let number = call("expr_create", text.as_bytes()).ok()?;
    let value = call("expr_evaluate", &number).ok();
    let _ = call("expr_delete", &number);
    String::from_utf8(value?).ok()
}
