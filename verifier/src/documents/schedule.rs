//! When a document is fetched, and how long it may be used: freshness, back-off,
//! rate limits. There is one kind of time: a [`Span`], since when and how long.

use crate::base::limits;

/// When one document is fetched, and how long it may be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// A fetch is under way; after this it counts as lost.
    flight: Option<Span>,
    /// No fetch is due.
    pause: Option<Span>,
    /// An unknown `kid` starts no fetch: since the last attempt.
    kid_pause: Option<Span>,
    /// What was accepted may be used.
    validity: Option<Span>,
    /// Since something was accepted.
    failures: u32,
}

/// A moment of the host's clock, and how long something holds from it on.
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

    /// Nothing is left where the clock was set back before its start: a fetch is
    /// never held up by a clock.
    fn left_ms(self, now_ms: u64) -> u64 {
        match now_ms.checked_sub(self.since_ms) {
            Some(elapsed_ms) => self.length_ms.saturating_sub(elapsed_ms),
            None => 0,
        }
    }

    /// How old it is; 0 where the clock was set back before its start: a clock
    /// makes no document too old.
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
        self.flight = Some(Span::new(now_ms, limits::FLIGHT_MS));
    }

    pub(crate) fn is_flying(&self, now_ms: u64) -> bool {
        left_ms(self.flight, now_ms) > 0
    }

    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.due_in_ms(now_ms) == 0
    }

    /// Whether an unknown `kid` may start a fetch: 30 s after the last attempt.
    pub(crate) fn may_refetch(&self, now_ms: u64) -> bool {
        !self.is_flying(now_ms) && left_ms(self.kid_pause, now_ms) == 0
    }

    pub(crate) fn pause_left_ms(&self, now_ms: u64) -> u64 {
        left_ms(self.pause, now_ms)
    }

    /// How long until [`Self::is_due`] turns true by the passing of time alone.
    pub(crate) fn due_in_ms(&self, now_ms: u64) -> u64 {
        self.pause_left_ms(now_ms).max(left_ms(self.flight, now_ms))
    }

    /// Usable while it was ever loaded and is not older than it may get.
    pub(crate) fn is_usable(&self, now_ms: u64) -> bool {
        self.validity
            .is_some_and(|span| span.age_ms(now_ms) < span.length_ms)
    }

    /// Accepted: fetch again after `pause_ms`, use it for `keep_ms`.
    pub(crate) fn succeed(&mut self, now_ms: u64, pause_ms: u64, keep_ms: u64) {
        self.finish(now_ms, pause_ms);
        self.validity = Some(Span::new(now_ms, keep_ms));
        self.failures = 0;
    }

    /// Not accepted: what was loaded stays; 1, 2, 4 … 60 s until the next try.
    pub(crate) fn fail(&mut self, now_ms: u64) {
        let (first, longest) = limits::BACKOFF_MS;
        let pause = first
            .checked_shl(self.failures)
            .filter(|ms| *ms >= first)
            .unwrap_or(longest);
        self.finish(now_ms, pause.min(longest));
        self.failures = self.failures.saturating_add(1).min(32);
    }

    /// It has another address now: a fetch from the old one does not count, and
    /// it is due at once.
    pub(crate) fn move_address(&mut self) {
        self.flight = None;
        self.pause = None;
    }

    fn finish(&mut self, now_ms: u64, pause_ms: u64) {
        // A supply that nobody started still counts as the attempt.
        if self.flight.take().is_none() {
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

/// `max-age` of a `Cache-Control` value, held between 60 s and 24 h
/// (RFC 9111 §5.2.2.1); `no-store` and `no-cache` count as the least.
pub(crate) fn fresh_for_ms(cache_control: &str) -> u64 {
    let mut max_age = None;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return limits::FRESH_MIN_MS;
        }
        if name.eq_ignore_ascii_case("max-age") {
            // Digits beyond u64 mean "for ever", which the clamp cuts.
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
    fn freshness_is_held_between_a_minute_and_a_day() {
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
        assert!(!schedule.is_due(S) && schedule.is_flying(S));
        assert!(
            schedule.is_due(limits::FLIGHT_MS),
            "a lost flight is due again"
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
        assert!(!schedule.may_refetch(31 * S), "one under way is enough");
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
            "a flight does not hold it up"
        );
    }
}
