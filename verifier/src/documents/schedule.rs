//! The schedule of a document: freshness, back-off and rate limits. All times
//! are of one kind: a [`Span`] with a start and a length.

use crate::base::limits;

/// When one document is due, and how long it is usable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// A fetch is in flight. After this span it counts as lost.
    in_flight: Option<Span>,
    /// No fetch is due during this span.
    pause: Option<Span>,
    /// An unknown `kid` starts no fetch during this span. It starts at the last
    /// attempt.
    kid_pause: Option<Span>,
    /// The accepted document is usable during this span.
    validity: Option<Span>,
    /// Number of failures since a document was last accepted.
    failures: u32,
}

/// A span of time: a start on the host's clock and a length.
#[derive(Clone, Copy, Debug)]
struct Span {
    since_ms: u64,
    length_ms: u64,
}

impl Span {
    fn new(since_ms: u64, length_ms: u64) -> Self {
        Self {
            since_ms,
            length_ms,
        }
    }

    /// Returns the remaining time. It is 0 if the clock was set back to before
    /// the start, so that a clock change never delays a fetch.
    fn left_ms(self, now_ms: u64) -> u64 {
        match now_ms.checked_sub(self.since_ms) {
            Some(elapsed_ms) => self.length_ms.saturating_sub(elapsed_ms),
            None => 0,
        }
    }

    /// Returns the time since the start. It is 0 if the clock was set back to
    /// before the start, so that a document is not too old.
    fn age_ms(self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.since_ms)
    }
}

fn left_ms(span: Option<Span>, now_ms: u64) -> u64 {
    span.map_or(0, |span| span.left_ms(now_ms))
}

impl Schedule {
    pub(crate) fn start(&mut self, now_ms: u64) {
        self.kid_pause = Some(Span::new(now_ms, limits::UNKNOWN_KID_MS));
        self.in_flight = Some(Span::new(now_ms, limits::IN_FLIGHT_MS));
    }

    pub(crate) fn is_in_flight(&self, now_ms: u64) -> bool {
        left_ms(self.in_flight, now_ms) > 0
    }

    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.due_in_ms(now_ms) == 0
    }

    /// Returns whether an unknown `kid` may start a fetch: 30 s after the last
    /// attempt.
    pub(crate) fn may_refetch(&self, now_ms: u64) -> bool {
        !self.is_in_flight(now_ms) && left_ms(self.kid_pause, now_ms) == 0
    }

    /// Returns whether no document was ever accepted and no fetch is in flight.
    pub(crate) fn is_idle(&self, now_ms: u64) -> bool {
        self.validity.is_none() && !self.is_in_flight(now_ms)
    }

    pub(crate) fn pause_left_ms(&self, now_ms: u64) -> u64 {
        left_ms(self.pause, now_ms)
    }

    /// Returns the time until [`Self::is_due`] becomes true without another
    /// event.
    pub(crate) fn due_in_ms(&self, now_ms: u64) -> u64 {
        self.pause_left_ms(now_ms)
            .max(left_ms(self.in_flight, now_ms))
    }

    /// Returns whether a document was ever loaded.
    pub(crate) fn had_one(&self) -> bool {
        self.validity.is_some()
    }

    /// Returns whether a document was loaded and is not too old.
    pub(crate) fn is_usable(&self, now_ms: u64) -> bool {
        self.validity
            .is_some_and(|span| span.age_ms(now_ms) < span.length_ms)
    }

    /// Records an accepted document: the next fetch is due after `pause_ms`,
    /// and the document is usable for `keep_ms`.
    pub(crate) fn succeed(&mut self, now_ms: u64, pause_ms: u64, keep_ms: u64) {
        self.finish(now_ms, pause_ms);
        self.validity = Some(Span::new(now_ms, keep_ms));
        self.failures = 0;
    }

    /// Records a failed attempt: the loaded document stays, and the next
    /// attempt is due after 1, 2, 4 … 60 s.
    pub(crate) fn fail(&mut self, now_ms: u64) {
        let (first, longest) = limits::BACKOFF_MS;
        let pause = first
            .checked_shl(self.failures)
            .filter(|ms| *ms >= first)
            .unwrap_or(longest);
        self.finish(now_ms, pause.min(longest));
        self.failures = self.failures.saturating_add(1).min(32);
    }

    /// Records a new address: a fetch from the old one does not count, and the
    /// document is due at once.
    pub(crate) fn change_address(&mut self) {
        self.in_flight = None;
        self.pause = None;
    }

    fn finish(&mut self, now_ms: u64, pause_ms: u64) {
        // A result without a started fetch also counts as an attempt.
        if self.in_flight.take().is_none() {
            self.kid_pause = Some(Span::new(now_ms, limits::UNKNOWN_KID_MS));
        }
        self.pause = Some(Span::new(now_ms, pause_ms));
    }

    pub(crate) fn age_ms(&self, now_ms: u64) -> Option<u64> {
        self.validity.map(|span| span.age_ms(now_ms))
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

/// Returns the freshness from the `max-age` of `Cache-Control` (RFC 9111
/// §5.2.2.1), clamped to 60 s to 24 h. `no-store` and `no-cache` give 60 s.
pub(crate) fn fresh_for_ms(cache_control: &str) -> u64 {
    let mut max_age = None;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return limits::FRESH_MIN_MS;
        }
        if name.eq_ignore_ascii_case("max-age") {
            // A number above u64 counts as the maximum, and the clamp reduces
            // it.
            let digits = value.trim_matches('"');
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                let seconds = digits.parse().unwrap_or(u64::MAX);
                max_age = Some(max_age.map_or(seconds, |least: u64| least.min(seconds)));
            }
        }
    }
    match max_age {
        Some(seconds) => seconds
            .saturating_mul(1000)
            .clamp(limits::FRESH_MIN_MS, limits::FRESH_MAX_MS),
        None => limits::FRESH_DEFAULT_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000;

    #[test]
    fn freshness_is_clamped_to_a_minute_and_a_day() {
        for (cache_control, seconds) in [
            ("", 600),
            ("public", 600),
            ("max-age=300", 300),
            ("public, Max-Age=\"300\"", 300),
            ("max-age=300, max-age=120", 120),
            ("max-age=0", 60),
            ("max-age=99999999999999999999999", 86_400),
            ("max-age=-1", 600),
            ("max-age=3600, no-store", 60),
            ("no-cache", 60),
            ("max-age=", 600),
        ] {
            assert_eq!(fresh_for_ms(cache_control), seconds * S, "{cache_control}");
        }
    }

    #[test]
    fn failures_back_off_and_keep_what_was_loaded() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due(0) && !schedule.is_usable(0));
        schedule.start(0);
        assert!(!schedule.is_due(S) && schedule.is_in_flight(S));
        assert!(
            schedule.is_due(limits::IN_FLIGHT_MS),
            "a lost fetch is due again"
        );
        schedule.succeed(2 * S, 480 * S, 600 * S);
        assert!(!schedule.is_due(481 * S) && schedule.is_due(482 * S));
        let mut now = 482 * S;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            schedule.start(now);
            schedule.fail(now);
            assert_eq!(schedule.pause_left_ms(now), pause * S);
            now += pause * S;
            assert!(schedule.is_due(now));
        }
        assert!(schedule.is_usable(601 * S) && !schedule.is_usable(602 * S));
    }

    #[test]
    fn an_unknown_kid_may_refetch_once_in_thirty_seconds() {
        let mut schedule = Schedule::default();
        schedule.start(0);
        schedule.succeed(5 * S, 480 * S, 600 * S);
        assert!(!schedule.may_refetch(29 * S), "counted from the attempt");
        assert!(schedule.may_refetch(30 * S));
        schedule.start(30 * S);
        assert!(!schedule.may_refetch(31 * S), "one fetch is in flight");
        schedule.fail(32 * S);
        assert!(!schedule.may_refetch(59 * S) && schedule.may_refetch(60 * S));
    }

    #[test]
    fn a_clock_set_back_blocks_nothing() {
        let mut schedule = Schedule::default();
        schedule.succeed(1_000_000 * S, 480 * S, 600 * S);
        assert_eq!(schedule.due_in_ms(1_000_000 * S), 480 * S);
        assert_eq!(schedule.due_in_ms(10 * S), 0);
        assert!(
            schedule.is_usable(10 * S) && schedule.may_refetch(10 * S) && schedule.is_due(10 * S)
        );
        schedule.start(1_000_000 * S);
        assert_eq!(
            schedule.due_in_ms(10 * S),
            0,
            "a fetch in flight does not delay it"
        );
    }
}
