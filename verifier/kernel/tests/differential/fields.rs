//! Field arithmetic against num-bigint.
use crate::random::Random;
use countersign_kernel::curve::check::{AnyModulus, ed25519_field, p256_field};
use num_bigint::BigInt;

fn big(limbs: &[i32], bits: usize) -> BigInt {
    // 64-bit pieces would be quicker to build than limb by limb; this is quick enough.
    limbs
        .iter()
        .rev()
        .fold(BigInt::ZERO, |sum, &limb| (sum << bits) + limb)
}

fn modulo(x: &BigInt, m: &BigInt) -> BigInt {
    let r = x % m;
    if r.sign() == num_bigint::Sign::Minus {
        r + m
    } else {
        r
    }
}

/// An element of a magnitude (see `curve/field.rs`): limbs of up to `magnitude` times `2^bits`.
fn element<const N: usize>(
    random: &mut Random,
    n: usize,
    bits: u32,
    top: u32,
    magnitude: i64,
) -> [i32; N] {
    let full = (1i64 << bits) - 1;
    let signed = random.one_in(2);
    let (lo, hi) = match (signed, magnitude) {
        (true, 1) => (-full, full),
        (true, m) => (-full * (m - 1).max(1), full * m),
        (false, m) => (0, full * m),
    };
    let mut limbs = [0; N];
    for limb in &mut limbs[..n - 1] {
        *limb = random.limb(lo, hi);
    }
    let top = 1i64 << top;
    limbs[n - 1] = random.limb(if signed { -top } else { 0 }, top);
    if random.one_in(8) {
        let keep = random.below(n);
        limbs[keep..].fill(0);
    }
    limbs
}

/// Magnitudes whose products are allowed, for an operation.
fn magnitudes(random: &mut Random, operation: usize) -> [i64; 4] {
    match operation {
        0 | 2 => [
            [1, 3, 1, 1],
            [3, 1, 1, 1],
            [2, 1, 2, 1],
            [1, 1, 3, 1],
            [1, 2, 1, 1],
        ][random.below(5)],
        4 => [[1, 2, 1, 1], [2, 1, 1, 1], [1, 1, 2, 1], [1, 1, 1, 2]][random.below(4)],
        5 => [3, 1, 1, 1],
        _ => [1, 1, 1, 1],
    }
}

/// A multiple of the prime, a little off it now and then, as proper limbs.
fn multiple<const N: usize>(
    random: &mut Random,
    p: &BigInt,
    n: usize,
    bits: usize,
    most: usize,
) -> [i32; N] {
    let off = if random.one_in(3) {
        random.below(3) as i64 - 1
    } else {
        0
    };
    let mut x = p * (random.below(2 * most + 1) as i64 - most as i64) + off;
    let mut limbs = [0; N];
    let base = BigInt::from(1) << bits;
    for limb in &mut limbs[..n - 1] {
        let low = modulo(&x, &base);
        x = (x - &low) >> bits;
        *limb = i32::try_from(low).unwrap();
    }
    limbs[n - 1] = i32::try_from(x).unwrap();
    limbs
}

struct Prime {
    p: BigInt,
    /// `1 / R`.
    r_inverse: BigInt,
    /// `R * R`.
    rr: BigInt,
}

impl Prime {
    fn new(p: BigInt, r_bits: u32) -> Self {
        let r = BigInt::from(1) << r_bits;
        let r_inverse = r.modinv(&p).unwrap();
        let rr = modulo(&(&r * &r), &p);
        Self { p, r_inverse, rr }
    }

    fn expected(&self, operation: usize, [a, b, c, d]: &[BigInt; 4], m: i64) -> BigInt {
        let by_r = |x: BigInt| modulo(&x, &self.p) * &self.r_inverse;
        let value = match operation {
            0 => by_r(a * b),
            1 => by_r(a * a),
            2 => by_r(a * b) + c * m,
            3 => by_r(a * a) + c * m,
            4 => by_r(a * b - c * d),
            5 => a.clone(),
            _ => modulo(a, &self.p).modinv(&self.p).unwrap_or_default() * &self.rr,
        };
        modulo(&value, &self.p)
    }
}

fn number(digits: &str) -> BigInt {
    BigInt::parse_bytes(digits.as_bytes(), 16).unwrap()
}

pub(crate) fn run(random: &mut Random, count: u64) {
    let one: BigInt = BigInt::from(1);
    let p256 = Prime::new(
        number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
        261,
    );
    let p25519: BigInt = (&one << 255) - 19;
    let fold = Prime::new(p25519.clone(), 0);
    // The orders and the larger primes: (bytes, limbs, bits of R).
    let general: Vec<(AnyModulus, Prime, usize, u32)> = [
        ("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 10),
        ("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 10),
        ("fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff", 14),
        ("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 14),
        ("01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 19),
        ("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 19),
    ]
    .iter()
    .map(|&(digits, n)| {
        let p = number(digits);
        let bits = p.bits() as u32;
        let bytes = p.to_bytes_be().1;
        (AnyModulus::new(&bytes), Prime::new(p, 28 * n as u32), n, bits)
    })
    .collect();

    for case in 0..count {
        // Inversion is slow, hence rare.
        let operation = if random.one_in(64) {
            6
        } else {
            random.below(6)
        };
        let m = random.below(13) as i64 - 8;
        let magnitudes = magnitudes(random, operation);
        match case % 4 {
            0 | 1 => {
                let mut elements =
                    magnitudes.map(|magnitude| element::<9>(random, 9, 29, 26, magnitude));
                if random.one_in(8) {
                    elements[0] = multiple(random, &p256.p, 9, 29, 3);
                }
                let (limbs, zero) = p256_field(operation, elements, m);
                let found = big(&limbs, 29);
                let found = modulo(&found, &p256.p);
                let bigs = elements.map(|limbs| big(&limbs, 29));
                let expected = p256.expected(operation, &bigs, m);
                assert_eq!(found, expected, "p256 {operation} {elements:?} {m}");
                assert_eq!(
                    zero,
                    expected == BigInt::ZERO,
                    "p256 zero {operation} {elements:?} {m}"
                );
            }
            2 => {
                let operation = match operation {
                    2 | 3 => 0,
                    4 => 1,
                    other => other,
                };
                let magnitudes = if operation == 0 {
                    magnitudes
                } else {
                    [magnitudes[0], 1, 1, 1]
                };
                let elements = [magnitudes[0], magnitudes[1]].map(|magnitude| {
                    element::<9>(
                        random,
                        9,
                        29,
                        if operation == 5 { 30 } else { 29 },
                        magnitude,
                    )
                });
                let mut elements = if operation == 1 || operation == 6 {
                    elements.map(|limbs| limbs.map(|limb| limb.clamp(-(1 << 29), 1 << 29)))
                } else {
                    elements
                };
                if random.one_in(8) {
                    elements[0] = multiple(random, &fold.p, 9, 29, 64);
                }
                let (limbs, bytes, zero) = ed25519_field(operation, elements);
                let bigs = elements.map(|limbs| big(&limbs, 29));
                let bigs = [bigs[0].clone(), bigs[1].clone(), BigInt::ZERO, BigInt::ZERO];
                let expected = fold.expected(operation, &bigs, 0);
                assert_eq!(
                    modulo(&big(&limbs, 29), &fold.p),
                    expected,
                    "ed25519 {operation} {elements:?}"
                );
                let bytes = BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes);
                assert_eq!(bytes, expected, "ed25519 bytes {operation} {elements:?}");
                assert_eq!(zero, expected == BigInt::ZERO);
            }
            _ => {
                let (modulus, prime, n, bits) = &general[random.below(general.len())];
                let top = bits - 28 * (*n as u32 - 1) + 2;
                let mut elements =
                    magnitudes.map(|magnitude| element::<19>(random, *n, 28, top, magnitude));
                if random.one_in(8) {
                    elements[0] = multiple(random, &prime.p, *n, 28, 3);
                }
                if operation == 6 {
                    let x = modulo(&big(&elements[0], 28), &prime.p);
                    let mut limbs = [0; 19];
                    for (i, limb) in limbs.iter_mut().enumerate() {
                        *limb =
                            i32::try_from((&x >> (28 * i)) & BigInt::from((1 << 28) - 1)).unwrap();
                    }
                    let expected = x.modinv(&prime.p).unwrap_or_default();
                    assert_eq!(
                        big(&modulus.invert(&limbs), 28),
                        expected,
                        "1 / {x} mod {}",
                        prime.p
                    );
                    continue;
                }
                let (limbs, zero) = modulus.operate(operation, elements, m);
                let bigs = elements.map(|limbs| big(&limbs, 28));
                let expected = prime.expected(operation, &bigs, m);
                let found = modulo(&big(&limbs, 28), &prime.p);
                assert_eq!(
                    found, expected,
                    "mod {} {operation} {elements:?} {m}",
                    prime.p
                );
                assert_eq!(zero, expected == BigInt::ZERO);
            }
        }
    }
}
