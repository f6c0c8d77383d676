//! Spreads the fetches of the workers and Envoys of a fleet over time.

/// The delay of this worker, from 0 to 255, as a fraction of the maximum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter(u8);

impl Jitter {
    /// Makes a jitter from a number that differs between workers and machines.
    pub(crate) fn new(seed: u64) -> Self {
        // With multiplicative hashing, the top bits depend on the whole seed.
        let [.., top] = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        Self(top)
    }

    /// Returns the extra time of a pause: less than a tenth of it.
    pub(crate) fn of(self, pause_ms: u64) -> u64 {
        pause_ms.saturating_mul(self.0.into()) / 2560
    }
}

#[cfg(test)]
mod tests {
    use super::Jitter;

    #[test]
    fn a_pause_gets_longer_by_less_than_a_tenth() {
        for seed in 0..1000 {
            let jitter = Jitter::new(seed);
            assert!(jitter.of(480_000) < 48_000);
            assert_eq!(jitter.of(0), 0);
        }
    }

    #[test]
    fn neighbouring_seeds_give_different_jitter() {
        let mut late: Vec<u64> = (0..100).map(|s| Jitter::new(s).of(480_000)).collect();
        late.sort_unstable();
        late.dedup();
        assert!(late.len() > 60, "{}", late.len());
    }
}
