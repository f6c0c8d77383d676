//! Reads a number (RFC 8259 §6).

use super::Number;

/// Above this exponent a number of nineteen digits is beyond any double, or is
/// so small that it is zero.
const EXPONENT: i32 = 400;

/// Reads the number at the start of a text. Returns `None` if there is none or
/// if it is beyond a double, and the length of the text that was read.
pub(super) fn read(text: &[u8]) -> (Option<Number>, usize) {
    let mut reader = Reader { text, at: 0 };
    (reader.number(), reader.at)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

/// The digits so far: an integer, a power of ten, and whether a digit was cut
/// off because the integer is full.
#[derive(Default)]
struct Decimal {
    significand: u64,
    exponent: i32,
    is_cut: bool,
}

impl Decimal {
    /// Adds a digit. `scale` is -1 for a digit of the fraction.
    #[inline(always)]
    fn push(&mut self, digit: u8, scale: i32) {
        let longer = self.significand.checked_mul(10);
        match longer.and_then(|n| n.checked_add(digit.into())) {
            Some(longer) if !self.is_cut => {
                self.significand = longer;
                self.exponent = self.exponent.saturating_add(scale);
            }
            _ => {
                self.is_cut = true;
                self.exponent = self.exponent.saturating_add(scale).saturating_add(1);
            }
        }
    }
}

impl Reader<'_> {
    #[inline(always)]
    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.next() == Some(byte);
        self.at = self.at.saturating_add(usize::from(taken));
        taken
    }

    /// Reads one or more digits.
    fn digits(&mut self, mut push: impl FnMut(u8)) -> Option<()> {
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.next() {
            push(byte & 0x0f);
            self.at = self.at.saturating_add(1);
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Number> {
        let is_negative = self.take(b'-');
        let mut decimal = Decimal::default();
        // A leading zero stands alone.
        if !self.take(b'0') {
            self.digits(|digit| decimal.push(digit, 0))?;
        }
        let mut is_integer = !decimal.is_cut;
        if self.take(b'.') {
            is_integer = false;
            self.digits(|digit| decimal.push(digit, -1))?;
        }
        if self.take(b'e') || self.take(b'E') {
            is_integer = false;
            let is_small = self.take(b'-');
            let _ = !is_small && self.take(b'+');
            let mut exponent = 0_i32;
            self.digits(|digit| {
                exponent = exponent.saturating_mul(10).saturating_add(digit.into());
            })?;
            let exponent = if is_small {
                exponent.saturating_neg()
            } else {
                exponent
            };
            decimal.exponent = decimal.exponent.saturating_add(exponent);
        }
        match (is_integer, is_negative) {
            (true, false) => return Some(Number::Unsigned(decimal.significand)),
            (true, true) if decimal.significand != 0 => {
                if let Some(negative) = 0_i64.checked_sub_unsigned(decimal.significand) {
                    return Some(Number::Negative(negative));
                }
            }
            _ => {}
        }
        let double = scale(decimal.significand as f64, decimal.exponent);
        let double = if is_negative { -double } else { double };
        double.is_finite().then_some(Number::Float(double))
    }
}

/// Multiplies with a power of ten. The result is the nearest double if the
/// significand is at most 2^53 and the exponent at most ±22, because then both
/// factors are exact (Clinger 1990); otherwise it is within a few units of the
/// last place. Numbers that a policy compares as exact are of the first kind.
fn scale(mut significand: f64, exponent: i32) -> f64 {
    /// 10^(2^n)
    const POWERS: [f64; 9] = [1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256];
    if significand == 0.0 {
        return 0.0;
    }
    let mut bits = exponent.clamp(-EXPONENT, EXPONENT).unsigned_abs();
    // Within ±22 the product of the powers is exact, so one rounding remains.
    if bits <= 22 {
        let mut power = 1.0;
        for factor in POWERS {
            if bits & 1 == 1 {
                power *= factor;
            }
            bits >>= 1;
        }
        return if exponent < 0 {
            significand / power
        } else {
            significand * power
        };
    }
    for factor in POWERS {
        if bits & 1 == 1 {
            significand = if exponent < 0 {
                significand / factor
            } else {
                significand * factor
            };
        }
        bits >>= 1;
    }
    significand
}
