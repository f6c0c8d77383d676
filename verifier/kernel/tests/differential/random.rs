//! Random numbers and digit patterns from a seed (SplitMix64).

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() as u128 * n as u128) >> 64) as usize
    }
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    /// A limb in `[lo, hi]`, often an extreme or a pattern.
    pub(crate) fn limb(&mut self, lo: i64, hi: i64) -> i32 {
        let span = (hi - lo) as u64 + 1;
        let value = match self.below(12) {
            0 | 1 => hi,
            2 | 3 => lo,
            4 => 0,
            5 => hi - self.below(4) as i64,
            6 => lo + self.below(4) as i64,
            7 => 1,
            8 => (1 << self.below(30)) - 1,
            9 => -(1 << self.below(30)),
            _ => lo + (self.next() % span) as i64,
        };
        value.clamp(lo, hi) as i32
    }
    /// Bytes: random, or runs of ones and zeros, or near a power of two.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        match self.below(6) {
            0 => {
                let mut bit = self.one_in(2);
                let mut left = 0;
                for i in 0..8 * N {
                    if left == 0 {
                        left = 1 + self.below(70);
                        bit = !bit;
                    }
                    left -= 1;
                    bytes[i / 8] |= (bit as u8) << (i % 8);
                }
            }
            1 => {
                let bit = self.below(8 * N);
                bytes[N - 1 - bit / 8] = 1 << (bit % 8);
                bytes[N - 1] |= self.below(4) as u8;
            }
            2 => {
                bytes[N - 1] = self.below(20) as u8;
            }
            _ => bytes.fill_with(|| self.next() as u8),
        }
        bytes
    }
}
