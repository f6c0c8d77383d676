//! How often an authorization server is asked: by its rate, and not for a while
//! after it has failed.

use crate::base::limits;

/// One issuer's authorization server.
pub(super) struct Server {
    pub(super) issuer: usize,
    /// Thousandths of requests that could be sent at `level_ms`: at most those of
    /// one second.
    level: u64,
    level_ms: u64,
    /// Failures in sequence, and when the last one was.
    failures: u32,
    failed_ms: u64,
}

impl Server {
    pub(super) fn new(issuer: usize, rate: u64, now_ms: u64) -> Self {
        Self {
            issuer,
            level: rate.saturating_mul(1000),
            level_ms: now_ms,
            failures: 0,
            failed_ms: 0,
        }
    }

    /// Returns in how many milliseconds the rate lets a request pass that leaves
    /// `reserve` others.
    pub(super) fn wait_ms(&self, rate: u64, reserve: u64, now_ms: u64) -> u64 {
        let needed = reserve.saturating_add(1).saturating_mul(1000);
        let missing = needed.saturating_sub(self.level(rate, now_ms));
        missing.div_ceil(rate.max(1))
    }

    /// Counts a request.
    pub(super) fn take(&mut self, rate: u64, now_ms: u64) {
        self.level = self.level(rate, now_ms).saturating_sub(1000);
        self.level_ms = now_ms;
    }

    /// A request a second is a thousandth a millisecond. A clock that is set back
    /// adds none.
    fn level(&self, rate: u64, now_ms: u64) -> u64 {
        let elapsed_ms = now_ms.saturating_sub(self.level_ms);
        let level = self.level.saturating_add(elapsed_ms.saturating_mul(rate));
        level.min(rate.saturating_mul(1000))
    }

    /// Ends a request.
    pub(super) fn end(&mut self, has_failed: bool, now_ms: u64) {
        if !has_failed {
            self.failures = 0;
        } else if self.pause_ms(now_ms) == 0 {
            // Requests that end during a pause make it no longer.
            self.failures = self.failures.saturating_add(1);
            self.failed_ms = now_ms;
        }
    }

    /// Returns for how long it is not asked.
    pub(super) fn pause_ms(&self, now_ms: u64) -> u64 {
        let (first_ms, longest_ms) = limits::ANSWER_BACKOFF_MS;
        // One answer that is too large for a host is no sign of a server that is
        // down, and its owner must not stop the others.
        let length_ms = match self.failures.checked_sub(limits::ANSWER_FAILURES) {
            None => return 0,
            Some(doubled) => first_ms.checked_shl(doubled).unwrap_or(longest_ms),
        };
        left_ms(self.failed_ms, length_ms.min(longest_ms), now_ms)
    }
}

/// Returns what is left of a span of time; nothing, if the clock was set back to
/// before its start.
pub(super) fn left_ms(since_ms: u64, length_ms: u64, now_ms: u64) -> u64 {
    let elapsed_ms = now_ms.checked_sub(since_ms);
    elapsed_ms.map_or(0, |elapsed_ms| length_ms.saturating_sub(elapsed_ms))
}
