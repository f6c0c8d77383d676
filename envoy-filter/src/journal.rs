//! What the workers of an Envoy tell each other about a document, as bytes:
//! who fetches it, how the last fetches ended, and where what came is. Numbers are
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
    /// Where what was accepted is.
    pub(crate) copy: Copy,
    /// What its server said of it.
    pub(crate) cache_control: String,
}

/// A copy of a document in the shared data. Every piece of it begins with its
/// number, by which one of another copy is told from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) number: u64,
    /// The place, 0 or 1.
    pub(crate) place: u32,
    pub(crate) pieces: u32,
}

impl State {
    /// What is no state is an empty one.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self::parse(bytes).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (numbers, cache_control) = bytes.split_first_chunk::<40>()?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let [leased_until, accepted_at, failed_at, number, copy] = *numbers else {
            return None;
        };
        let (place, pieces) = copy.split_first_chunk()?;
        Some(Self {
            leased_until: u64::from_le_bytes(leased_until),
            accepted_at: u64::from_le_bytes(accepted_at),
            failed_at: u64::from_le_bytes(failed_at),
            copy: Copy {
                number: u64::from_le_bytes(number),
                place: u32::from_le_bytes(*place),
                pieces: u32::from_le_bytes(pieces.try_into().ok()?),
            },
            cache_control: str::from_utf8(cache_control).ok()?.to_owned(),
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let copy = self.copy;
        let numbers = [
            self.leased_until,
            self.accepted_at,
            self.failed_at,
            copy.number,
        ];
        let mut bytes = numbers.map(u64::to_le_bytes).concat();
        bytes.extend([copy.place, copy.pieces].map(u32::to_le_bytes).concat());
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

    pub(crate) fn accepted(now_ms: u64, copy: Copy, cache_control: String) -> Self {
        Self {
            accepted_at: now_ms,
            copy,
            cache_control,
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

    fn accepted(now_ms: u64) -> State {
        let copy = Copy {
            number: 1 << 60,
            place: 1,
            pieces: 32,
        };
        State::accepted(now_ms, copy, "max-age=60".to_owned())
    }

    #[test]
    fn what_was_written_is_read() {
        let state = accepted(900).leased(1_000).failed(2_000);
        assert_eq!(State::read(&state.write()), state);
    }

    #[test]
    fn other_bytes_say_nothing() {
        assert_eq!(State::read(b""), State::default());
        assert_eq!(State::read(&[1; 16]), State::default());
        assert_eq!(State::read(&[0xff; 41]), State::default());
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
        let state = accepted(1_000_000);
        assert!(state.is_of_the_past(1_000_000) && state.is_of_the_past(999_000));
        assert!(!state.is_of_the_past(900_000));
    }

    #[test]
    fn the_end_of_a_fetch_ends_its_lease() {
        let leased = accepted(500).leased(1_000);
        assert!(!leased.clone().failed(1_100).is_leased(1_100));
        assert!(!leased.clone().released().is_leased(1_100));
        assert_eq!(leased.failed(1_100).accepted_at, 500);
        assert!(!accepted(1_100).is_leased(1_100));
    }
}
