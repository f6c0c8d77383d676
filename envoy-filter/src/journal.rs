//! What the workers of an Envoy tell each other about a document, as bytes:
//! who fetches it, how the last fetches ended, and what came. Numbers are
//! little-endian.

/// How long the worker that fetches a document has it for itself: what the
/// gate allows a fetch before it counts as lost.
const LEASE_MS: u64 = 15_000;

/// One document: milliseconds since the epoch, 0 for never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Somebody is fetching it, or has stopped to.
    pub(crate) leased_until: u64,
    /// It was last accepted.
    pub(crate) accepted_at: u64,
    /// A fetch failed since then.
    pub(crate) failed_at: u64,
    /// What its server said of what was accepted.
    pub(crate) cache_control: String,
}

impl State {
    /// What is no state is an empty one.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self::parse(bytes).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (leased_until, rest) = bytes.split_first_chunk()?;
        let (accepted_at, rest) = rest.split_first_chunk()?;
        let (failed_at, rest) = rest.split_first_chunk()?;
        Some(Self {
            leased_until: u64::from_le_bytes(*leased_until),
            accepted_at: u64::from_le_bytes(*accepted_at),
            failed_at: u64::from_le_bytes(*failed_at),
            cache_control: str::from_utf8(rest).ok()?.to_owned(),
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let numbers = [self.leased_until, self.accepted_at, self.failed_at];
        let mut bytes = numbers.map(u64::to_le_bytes).concat();
        bytes.extend(self.cache_control.as_bytes());
        bytes
    }

    /// A lease that ends much later than one can was given before the clock
    /// was set back; a little later, by a worker that looked at it later.
    pub(crate) fn is_leased(&self, now_ms: u64) -> bool {
        self.leased_until
            .checked_sub(now_ms)
            .is_some_and(|left| left > 0 && left <= 2 * LEASE_MS)
    }

    /// Whether it was accepted before now. If not, the clock was set back
    /// since, and nobody knows how old it is.
    pub(crate) fn is_of_the_past(&self, now_ms: u64) -> bool {
        self.accepted_at <= now_ms.saturating_add(LEASE_MS)
    }

    pub(crate) fn leased(&self, now_ms: u64) -> Self {
        Self {
            leased_until: now_ms.saturating_add(LEASE_MS),
            ..self.clone()
        }
    }

    pub(crate) fn accepted(now_ms: u64, cache_control: &str) -> Self {
        Self {
            accepted_at: now_ms,
            cache_control: cache_control.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn failed(self, now_ms: u64) -> Self {
        Self {
            failed_at: now_ms,
            ..self.released()
        }
    }

    pub(crate) fn released(self) -> Self {
        Self {
            leased_until: 0,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let state = State::accepted(900, "max-age=60")
            .leased(1_000)
            .failed(2_000);
        assert_eq!(State::read(&state.write()), state);
    }

    #[test]
    fn other_bytes_say_nothing() {
        assert_eq!(State::read(b""), State::default());
        assert_eq!(State::read(&[1; 16]), State::default());
        assert_eq!(State::read(&[0xff; 25]), State::default());
    }

    #[test]
    fn a_lease_ends_by_itself() {
        let state = State::default().leased(1_000);
        assert!(state.is_leased(900), "to a worker that is a little behind");
        assert!(state.is_leased(1_000) && state.is_leased(15_999));
        assert!(!state.is_leased(16_000));
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_a_lease() {
        assert!(!State::default().leased(1_000_000).is_leased(1_000));
    }

    #[test]
    fn a_document_of_the_future_is_of_unknown_age() {
        let state = State::accepted(1_000_000, "");
        assert!(state.is_of_the_past(1_000_000) && state.is_of_the_past(999_000));
        assert!(!state.is_of_the_past(900_000));
    }

    #[test]
    fn the_end_of_a_fetch_ends_its_lease() {
        let leased = State::accepted(500, "").leased(1_000);
        assert!(!leased.clone().failed(1_100).is_leased(1_100));
        assert!(!leased.clone().released().is_leased(1_100));
        assert_eq!(leased.failed(1_100).accepted_at, 500);
        assert!(!State::accepted(1_100, "").is_leased(1_100));
    }
}
