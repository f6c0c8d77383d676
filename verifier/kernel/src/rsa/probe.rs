//! Random cases against big-integer arithmetic. One case is one square or product with its
//! reduction; many of its digits are the largest ones or follow a pattern. The same code runs
//! natively (with overflow checks in a debug build) and in WebAssembly.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use num_bigint::{BigInt, BigUint};

use super::columns::Pairs;
use super::digits::{BITS, digits_from_words, words_from_digits};
use super::modulus::{Modulus, Residue};
use super::{MODULUS_BITS_MAX, MODULUS_BITS_MIN, PublicKey};

/// The largest digit that a product leaves (proved in `tile`, checked here).
pub(crate) const DIGIT_MAX: i16 = 4272;

/// Cases done, and what differed.
#[derive(Default)]
pub struct Report {
    /// Squares and products, each with its reduction.
    pub steps: u64,
    /// Whole powers.
    pub powers: u64,
    /// Moduli.
    pub keys: u64,
    /// What differed from big-integer arithmetic.
    pub differences: Vec<String>,
}

/// Does `count` steps, `per_key` with each modulus, and two whole powers a key.
/// `bits` fixes the length of moduli; zero means all lengths.
pub fn run(seed: u64, count: u64, per_key: u64, bits: usize) -> Report {
    let mut random = Random(seed);
    let mut report = Report::default();
    while report.steps < count && report.differences.len() < 10 {
        let bits = if bits > 0 { bits } else { random.length() };
        let n = random.modulus(bits);
        report.keys += 1;
        for _ in 0..2 {
            report.powers += 1;
            if let Err(difference) = power(&n, &mut random) {
                report.differences.push(difference);
            }
        }
        let Some(modulus) = Modulus::new(&n.to_bytes_be()) else {
            report.differences.push(format!("key refused: {n:x}"));
            continue;
        };
        for _ in 0..per_key.min(count - report.steps) {
            report.steps += 1;
            if let Err(difference) = step(&n, &modulus, &mut random) {
                report.differences.push(difference);
            }
        }
    }
    report
}

/// One whole `power` through bytes.
fn power(n: &BigUint, random: &mut Random) -> Result<(), String> {
    let exponent = match random.below(8) {
        0 => 3,
        1 => u32::MAX,
        2 => 1 << 31 | 1,
        3 => 17,
        4 => (random.next() as u32 | 1).max(3),
        _ => 65537,
    };
    let base = match random.below(6) {
        0 => BigUint::from(random.below(3)),
        1 => n - 1_u32 - random.below(1 << 20),
        2 => (n >> 1_u32) + random.below(3),
        3 => (BigUint::from(1_u32) << random.below(n.bits() - 1)) - 1_u32,
        4 => (BigUint::from(1_u32) << random.below(n.bits() - 2)) + random.below(1 << 20),
        _ => random.number(n.bits()) % n,
    } % n;
    let key = PublicKey::new(&n.to_bytes_be(), &exponent.to_be_bytes())
        .ok_or_else(|| format!("key refused: {n:x} {exponent}"))?;
    let length = key.modulus_bytes();
    let bytes = |number: &BigUint| {
        let bytes = number.to_bytes_be();
        [vec![0; length - bytes.len()], bytes].concat()
    };
    let expected = base.modpow(&BigUint::from(exponent), n);
    if key.power(&bytes(&base)).as_deref() == Some(&bytes(&expected)) {
        Ok(())
    } else {
        Err(format!("power: n {n:x} e {exponent} s {base:x}"))
    }
}

/// One square or product and its reduction, from digits.
fn step(n: &BigUint, modulus: &Modulus, random: &mut Random) -> Result<(), String> {
    let mut residue = Residue::new(modulus);
    let length = modulus.length();
    let a = random.digits(n, length);
    residue.value[..length].copy_from_slice(&a);
    let product = if random.below(2) == 0 {
        residue.square(modulus).ok_or("square cut short")?;
        number(&a).pow(2)
    } else {
        let b = random.digits(n, length);
        let factor = Pairs::from_digits(&b);
        residue
            .multiply(modulus, &factor)
            .ok_or("product cut short")?;
        number(&a) * number(&b)
    };
    let n = BigInt::from(n.clone());
    let rest = number(&residue.value);
    let wrong = if (&product - &rest) % &n != BigInt::ZERO {
        "not congruent"
    } else if rest.magnitude() * 100_u32 >= n.magnitude() * 62_u32 {
        "remainder too large"
    } else if residue.digits().any(|digit| digit.abs() > DIGIT_MAX) {
        "digit too large"
    } else {
        return Ok(());
    };
    Err(format!("step: {wrong}: n {n:x} digits {a:?}"))
}

/// The value of digits.
pub(crate) fn number(digits: &[i16]) -> BigInt {
    let mut words = vec![0_u32; digits.len() * BITS as usize / 32 + 2];
    words_from_digits(digits, &mut words);
    let negative = words.last().is_some_and(|word| word >> 31 == 1);
    let value = BigInt::from(BigUint::new(words.clone()));
    if negative {
        value - (BigInt::from(1) << (32 * words.len()))
    } else {
        value
    }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A length of a modulus: half of the time 2048, else any.
    fn length(&mut self) -> usize {
        match self.below(16) {
            0..=7 => 2048,
            8 => 3072,
            9 => 4096,
            10 => 2048 + self.below(64) as usize,
            11 => MODULUS_BITS_MAX - self.below(64) as usize,
            _ => {
                MODULUS_BITS_MIN
                    + self.below((MODULUS_BITS_MAX - MODULUS_BITS_MIN + 1) as u64) as usize
            }
        }
    }

    pub(crate) fn number(&mut self, bits: u64) -> BigUint {
        let words = (0..bits.div_ceil(32)).map(|_| self.next() as u32).collect();
        BigUint::new(words) >> (bits.div_ceil(32) * 32 - bits)
    }

    /// An odd number of exactly that length.
    pub(crate) fn modulus(&mut self, bits: usize) -> BigUint {
        let one = BigUint::from(1_u32);
        let top = &one << (bits - 1);
        let rest = match self.below(10) {
            0 => &top - 1_u32,                       // 2^bits - 1
            1 => BigUint::from(self.below(1 << 13)), // 2^(bits-1) + small
            2 => &top - 1_u32 - self.below(1 << 40), // 2^bits - small
            3 => &top >> self.below(bits as u64),    // two bits
            4 => (&one << self.below(bits as u64 - 1)) - 1_u32,
            5 | 6 => {
                // digits of a pattern
                let digits = self.pattern(bits / BITS as usize - 1);
                number(&digits).magnitude() % &top
            }
            _ => self.number(bits as u64 - 1),
        };
        let odd = if rest.bit(0) { rest } else { rest + 1_u32 };
        ((top + odd) % (&one << bits)) | (&one << (bits - 1)) | one
    }

    /// Digits of a number of at most the modulus in size.
    pub(crate) fn digits(&mut self, n: &BigUint, length: usize) -> Vec<i16> {
        let mut digits = vec![0; length];
        if self.below(4) == 0 {
            let near = match self.below(4) {
                0 => n - self.below(1 << 14),
                1 => n >> 1_u32,
                2 => n >> self.below(n.bits()),
                _ => self.number(n.bits()) % n,
            };
            digits_from_words(&near.to_u32_digits(), &mut digits);
            if self.below(2) == 0 {
                digits.iter_mut().for_each(|digit| *digit = -*digit);
            }
        } else {
            // 0.53 * 8192^count <= 2^(bits - 1)
            let count = (n.bits() as usize - 1) / BITS as usize;
            digits[..count].copy_from_slice(&self.pattern(count));
        }
        digits
    }

    fn pattern(&mut self, count: usize) -> Vec<i16> {
        let extremes = [DIGIT_MAX, -DIGIT_MAX, 4096, -4096, 4095, -4095, 1, -1, 0];
        let (kind, one, other) = (
            self.below(8),
            self.below(9) as usize,
            self.below(9) as usize,
        );
        let run = 1 + self.below(40) as usize;
        (0..count)
            .map(|at| match kind {
                0 => extremes[one],
                1 => [extremes[one], extremes[other]][at % 2],
                2 => [extremes[one], extremes[other]][at / run % 2],
                3 => extremes[self.below(9) as usize],
                4 => [DIGIT_MAX, -DIGIT_MAX][self.below(2) as usize],
                5 => {
                    if self.below(16) == 0 {
                        extremes[one]
                    } else {
                        0
                    }
                }
                _ => (self.below(2 * DIGIT_MAX as u64 + 1) as i64 - DIGIT_MAX as i64) as i16,
            })
            .collect()
    }
}
