//! How much work one callback does, and when the next one runs.

use crate::host;

/// Tick periods: while there is work, while a document or another worker is
/// awaited, and when idle.
pub(crate) const NOW_MS: u32 = 1;
pub(crate) const BUSY_MS: u32 = 20;
pub(crate) const IDLE_MS: u32 = 1_000;

/// Time that one callback spends on queued work, if each piece is short.
const SLICE_NS: u64 = 2_000_000;

/// The budget of one callback.
pub(crate) struct Budget {
    began_ns: u64,
    left: usize,
}

impl Budget {
    pub(crate) fn begin() -> Self {
        Self {
            began_ns: host::now_ns().unwrap_or(0),
            left: crate::ANSWERED_AT_ONCE,
        }
    }

    /// Returns whether one more piece of work is allowed. If the clock is set
    /// meanwhile, the time ends or only the count limits the work.
    pub(crate) fn has_time(&mut self) -> bool {
        let now_ns = host::now_ns().unwrap_or(u64::MAX);
        let is_over = self.left == 0 || now_ns.saturating_sub(self.began_ns) > SLICE_NS;
        self.left = self.left.saturating_sub(1);
        !is_over
    }
}
