//! What the workers of an Envoy tell each other about a document, as bytes:
//! who fetches it, how the last fetches ended, and what came. Numbers are
//! little-endian.

use countersign::Outcome;

/// How long the worker that fetches a document has it for itself: what the
/// gate allows a fetch before it counts as lost.
const LEASE_MS: u64 = 15_000;

/// One document: milliseconds since the epoch, 0 for never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Somebody is fetching it, or has stopped to.
    pub(crate) leased_until: u64,
    /// It was last accepted.
    pub(crate) accepted_at: u64,
    /// A fetch failed since then.
    pub(crate) failed_at: u64,
}

impl State {
    /// What is no state is an empty one.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (numbers, _) = bytes.as_chunks::<8>();
        let [leased_until, accepted_at, failed_at] = *numbers else {
            return Self::default();
        };
        Self {
            leased_until: u64::from_le_bytes(leased_until),
            accepted_at: u64::from_le_bytes(accepted_at),
            failed_at: u64::from_le_bytes(failed_at),
        }
    }

    pub(crate) fn write(self) -> Vec<u8> {
        [self.leased_until, self.accepted_at, self.failed_at]
            .map(u64::to_le_bytes)
            .concat()
    }

    /// A lease that ends much later than one can was given before the clock
    /// was set back; a little later, by a worker that looked at it later.
    pub(crate) fn is_leased(self, now_ms: u64) -> bool {
        self.leased_until
            .checked_sub(now_ms)
            .is_some_and(|left| left > 0 && left <= 2 * LEASE_MS)
    }

    pub(crate) fn leased(self, now_ms: u64) -> Self {
        Self {
            leased_until: now_ms.saturating_add(LEASE_MS),
            ..self
        }
    }

    pub(crate) fn accepted(now_ms: u64) -> Self {
        Self {
            accepted_at: now_ms,
            ..Self::default()
        }
    }

    pub(crate) fn failed(self, now_ms: u64) -> Self {
        Self {
            leased_until: 0,
            failed_at: now_ms,
            ..self
        }
    }
}

/// A document as its server gave it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored<'a> {
    pub(crate) cache_control: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> Stored<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (cache_control, body) = rest.split_at_checked(length)?;
        Some(Self {
            cache_control: str::from_utf8(cache_control).ok()?,
            body,
        })
    }

    /// Only what was answered with 200 is put down.
    pub(crate) fn outcome(&self) -> Outcome<'a> {
        Outcome::Response {
            status: 200,
            cache_control: self.cache_control,
            body: self.body.into(),
        }
    }

    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        let length = u32::try_from(self.cache_control.len()).ok()?;
        Some(
            [
                &length.to_le_bytes(),
                self.cache_control.as_bytes(),
                self.body,
            ]
            .concat(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let state = State::default().leased(1_000).failed(2_000);
        assert_eq!(State::read(&state.write()), state);
        let stored = Stored {
            cache_control: "max-age=60",
            body: b"{}",
        };
        assert_eq!(Stored::read(&stored.write().unwrap()), Some(stored));
    }

    #[test]
    fn other_bytes_say_nothing() {
        assert_eq!(State::read(b""), State::default());
        assert_eq!(State::read(&[1; 16]), State::default());
        assert_eq!(Stored::read(b""), None);
        assert_eq!(Stored::read(&[9, 0, 0, 0, b'x']), None);
        assert_eq!(Stored::read(&[1, 0, 0, 0, 0xff]), None);
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
    fn the_end_of_a_fetch_ends_its_lease() {
        let leased = State::accepted(500).leased(1_000);
        assert!(!leased.failed(1_100).is_leased(1_100));
        assert_eq!(leased.failed(1_100).accepted_at, 500);
        assert!(!State::accepted(1_100).is_leased(1_100));
    }
}
