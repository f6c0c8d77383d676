//! A monotonic clock. Envoy gives filters only the time of day, so this clock
//! adds up its steps forward.

/// The milliseconds since the start.
#[derive(Debug, Default)]
pub(crate) struct Uptime {
    passed_ms: u64,
    /// The time of day at the last call.
    seen_ms: Option<u64>,
}

impl Uptime {
    /// Returns the uptime at this time of day. If the clock was set back, no
    /// time passes.
    pub(crate) fn at(&mut self, time_ms: u64) -> u64 {
        let seen_ms = self.seen_ms.replace(time_ms).unwrap_or(time_ms);
        self.passed_ms += time_ms.saturating_sub(seen_ms);
        self.passed_ms
    }
}

#[cfg(test)]
mod tests {
    use super::Uptime;

    #[test]
    fn a_clock_set_back_by_hours_does_not_stop_the_uptime() {
        let mut uptime = Uptime::default();
        assert_eq!(uptime.at(50_000_000), 0);
        assert_eq!(uptime.at(50_000_020), 20);
        assert_eq!(uptime.at(10_000_000), 20, "set back");
        assert_eq!(uptime.at(10_000_030), 50, "it continues");
    }

    #[test]
    fn time_in_a_suspended_process_counts() {
        let mut uptime = Uptime::default();
        uptime.at(1_000);
        assert_eq!(uptime.at(3_601_000), 3_600_000);
    }
}
