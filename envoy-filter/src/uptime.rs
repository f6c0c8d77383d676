//! A clock that never goes back. Envoy tells filters the time of day alone:
//! what is waited for is counted by the steps that it makes forward.

/// Milliseconds since this began.
#[derive(Debug, Default)]
pub(crate) struct Uptime {
    passed_ms: u64,
    /// The time of day when somebody last looked.
    seen_ms: Option<u64>,
}

impl Uptime {
    /// How long it has been, at this time of day. A clock that was set back
    /// counts as one that stood still for a moment.
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
    fn a_clock_set_back_by_hours_stops_nothing() {
        let mut uptime = Uptime::default();
        assert_eq!(uptime.at(50_000_000), 0);
        assert_eq!(uptime.at(50_000_020), 20);
        assert_eq!(uptime.at(10_000_000), 20, "set back");
        assert_eq!(uptime.at(10_000_030), 50, "and on it goes");
    }

    #[test]
    fn a_process_that_was_frozen_knows_how_long() {
        let mut uptime = Uptime::default();
        uptime.at(1_000);
        assert_eq!(uptime.at(3_601_000), 3_600_000);
    }
}
