//! The state of a document that the workers of an Envoy share: the lease, the
//! results of the last fetches, and the copy. It is encoded as bytes with
//! little-endian numbers.

/// Duration of a lease. It equals the time after which the gate counts a fetch
/// as lost.
const LEASE_MS: u64 = 15_000;

/// The state of one document. Times are milliseconds since the epoch; 0 means
/// never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Until when a worker has the lease.
    pub(crate) leased_until: u64,
    /// When a document was last accepted.
    pub(crate) accepted_at: u64,
    /// When a fetch last failed since then.
    pub(crate) failed_at: u64,
    /// The copy of the accepted document.
    pub(crate) copy: Copy,
    /// The `Cache-Control` of the response.
    pub(crate) cache_control: String,
}

/// A copy of a document in the shared data. Every piece starts with the number
/// of its copy, so that pieces of different copies are not mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) number: u64,
    /// The place of the copy: 0 or 1.
    pub(crate) place: u32,
    pub(crate) pieces: u32,
}

impl State {
    /// Reads a state. Invalid bytes give an empty state.
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

    /// Returns whether a worker has the lease. A lease can end a little too
    /// late, because another worker read the clock later. If it ends much too
    /// late, the clock was set back, and the lease does not count.
    pub(crate) fn is_leased(&self, now_ms: u64) -> bool {
        self.leased_until
            .checked_sub(now_ms)
            .is_some_and(|left| left > 0 && left <= 2 * LEASE_MS)
    }

    /// Returns whether the document was accepted before now. If not, the clock
    /// was set back, and the age of the document is unknown.
    pub(crate) fn is_from_the_past(&self, now_ms: u64) -> bool {
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
    fn a_written_state_is_read_back() {
        let state = accepted(900).leased(1_000).failed(2_000);
        assert_eq!(State::read(&state.write()), state);
    }

    #[test]
    fn invalid_bytes_give_an_empty_state() {
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
        assert!(state.is_from_the_past(1_000_000) && state.is_from_the_past(999_000));
        assert!(!state.is_from_the_past(900_000));
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
