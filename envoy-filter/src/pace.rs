//! How much is done in one callback, and when the next one comes.

use crate::host;

/// Between ticks: while there is work, while something is awaited, at rest.
pub(crate) const AT_ONCE_MS: u32 = 1;
pub(crate) const BUSY_MS: u32 = 20;
pub(crate) const REST_MS: u32 = 1_000;

/// Time that one callback takes for what waits, if one piece of it is short.
const SLICE_NS: u64 = 2_000_000;

/// What one callback may do.
pub(crate) struct Pace {
    began_ns: u64,
    left: usize,
}

impl Pace {
    pub(crate) fn begin() -> Self {
        Self {
            began_ns: host::now_ns().unwrap_or(0),
            left: crate::ANSWERED_AT_ONCE,
        }
    }

    /// Whether one more piece of work may be begun. A clock that was set in
    /// the meantime ends it, or leaves the count.
    pub(crate) fn has_time(&mut self) -> bool {
        let now_ns = host::now_ns().unwrap_or(u64::MAX);
        let is_over = self.left == 0 || now_ns.saturating_sub(self.began_ns) > SLICE_NS;
        self.left = self.left.saturating_sub(1);
        !is_over
    }
}
