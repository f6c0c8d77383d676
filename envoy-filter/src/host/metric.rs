//! Counters and gauges. All workers share them.

use super::OK;

/// `MetricType`.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Counter = 0,
    Gauge = 1,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, metric: *mut u32) -> u32;
    fn proxy_increment_metric(metric: u32, by: i64) -> u32;
    fn proxy_record_metric(metric: u32, value: u64) -> u32;
}

/// Defines a metric. Envoy calls it `wasmcustom.<name>`.
pub(crate) fn define(kind: Kind, name: &str) -> Option<u32> {
    let mut metric = 0;
    // SAFETY: the host reads the name during the call and writes one `u32`.
    let status =
        unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut metric) };
    (status == OK).then_some(metric)
}

/// Adds to a counter.
pub(crate) fn add(metric: u32, by: u64) {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    // SAFETY: it takes numbers.
    unsafe { proxy_increment_metric(metric, by) };
}

/// Sets a gauge.
pub(crate) fn set(metric: u32, value: u64) {
    // SAFETY: it takes numbers.
    unsafe { proxy_record_metric(metric, value) };
}
