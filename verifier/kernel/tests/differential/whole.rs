//! Whole verifications against the crates: valid, damaged, out of range, patterns.
use crate::random::Random;
use crate::{crafted, edwards};
use num_bigint::{BigInt, Sign};

pub(crate) fn run(random: &mut Random, count: u64) {
    let start = std::time::Instant::now();
    let done = |name: &str, valid: u64, all: u64| {
        println!(
            "  {name}: {all} verifications, {valid} valid, {:.0} s",
            start.elapsed().as_secs_f64()
        );
    };
    let valid = p256(random, count);
    done("P-256", valid, count);
    let valid = edwards::run(random, count);
    done("Ed25519", valid, count);
    let crafted = (count / 4).min(1_000_000);
    let complete = crafted::run(random, crafted);
    done(
        "P-256 crafted (counted: with complete additions)",
        complete,
        crafted,
    );
    let slow = (count / 20).min(50_000);
    let valid = p384(random, slow);
    done("P-384", valid, slow);
    let valid = p521(random, slow);
    done("P-521", valid, slow);
}

pub(crate) fn number(bytes: &[u8]) -> BigInt {
    BigInt::from_bytes_be(Sign::Plus, bytes)
}

/// Big-endian, cut to `N` bytes.
pub(crate) fn bytes<const N: usize>(x: &BigInt) -> [u8; N] {
    let digits = x.to_bytes_be().1;
    let mut bytes = [0; N];
    let n = digits.len().min(N);
    bytes[N - n..].copy_from_slice(&digits[digits.len() - n..]);
    bytes
}

pub(crate) fn modulo(x: BigInt, m: &BigInt) -> BigInt {
    let r = x % m;
    if r.sign() == Sign::Minus { r + m } else { r }
}

macro_rules! curve {
    ($name:ident, $field:literal, $signature:literal, $digest:literal, $bits:literal, $order:literal) => {
        fn $name(random: &mut Random, count: u64) -> u64 {
            use $name::ecdsa::signature::hazmat::PrehashVerifier;
            use $name::elliptic_curve::{PrimeField, sec1::ToSec1Point};
            let n = BigInt::parse_bytes($order, 16).unwrap();
            let scalar = |x: &BigInt| {
                let repr = bytes::<$field>(&modulo(x.clone(), &n));
                $name::Scalar::from_repr(repr.into()).unwrap()
            };
            let nonzero = |x: BigInt| {
                let x = modulo(x, &n);
                if x == BigInt::ZERO {
                    BigInt::from(1)
                } else {
                    x
                }
            };
            let base = $name::ProjectivePoint::GENERATOR;
            let mut valid = 0;
            let mut at = 0;
            while at < count {
                let d = nonzero(number(&random.bytes::<$field>()));
                let point = (base * scalar(&d)).to_affine().to_sec1_point(false);
                let coordinates = &point.as_bytes()[1..];
                let (x, y) = coordinates.split_at($field);
                let (x, y) = (x.try_into().unwrap(), y.try_into().unwrap());
                let ours =
                    countersign_kernel::curve::$name::VerifyingKey::new(x, y).expect("a good key");
                let theirs = $name::ecdsa::VerifyingKey::from_sec1_bytes(point.as_bytes()).unwrap();
                let mut bent = *y;
                bent[random.below($field)] ^= 1 << random.below(8);
                assert!(countersign_kernel::curve::$name::VerifyingKey::new(x, &bent).is_none());
                for _ in 0..40 {
                    at += 1;
                    let mut digest = random.bytes::<$digest>();
                    let mut signature = [0u8; $signature];
                    let must = if random.one_in(6) {
                        signature[..$field].copy_from_slice(&random.bytes::<$field>());
                        signature[$field..].copy_from_slice(&random.bytes::<$field>());
                        None
                    } else {
                        let k = nonzero(number(&random.bytes::<$field>()));
                        let r = (base * scalar(&k)).to_affine().to_sec1_point(false);
                        let r = modulo(number(&r.as_bytes()[1..1 + $field]), &n);
                        let s = (number(&digest) + &r * &d) * k.modinv(&n).unwrap();
                        let s = modulo(s, &n);
                        signature[..$field].copy_from_slice(&bytes::<$field>(&r));
                        signature[$field..].copy_from_slice(&bytes::<$field>(&s));
                        let range = BigInt::from(1) << $bits;
                        let mut put = |at: usize, x: BigInt| {
                            signature[at..at + $field].copy_from_slice(&bytes::<$field>(&x))
                        };
                        match random.below(16) {
                            0 => {
                                put($field, modulo(-&s, &n));
                                Some(true)
                            }
                            1 => {
                                let at = random.below($signature);
                                signature[at] ^= 1 << random.below(8);
                                Some(false)
                            }
                            2 => {
                                let at = random.below($digest);
                                digest[at] ^= 1 << random.below(8);
                                Some(false)
                            }
                            3 => {
                                let at = $field * random.below(2);
                                put(
                                    at,
                                    [BigInt::ZERO, n.clone(), &n + 1, &n - 1, range - 1]
                                        [random.below(5)]
                                    .clone(),
                                );
                                None
                            }
                            4 if &r + &n < range => {
                                put(0, &r + &n);
                                Some(false)
                            }
                            5 if &s + &n < range => {
                                put($field, &s + &n);
                                Some(false)
                            }
                            _ => Some(true),
                        }
                    };
                    let found = ours.verify(&digest, &signature);
                    let expected = $name::ecdsa::Signature::from_slice(&signature)
                        .is_ok_and(|signature| theirs.verify_prehash(&digest, &signature).is_ok());
                    assert_eq!(
                        found,
                        expected,
                        "{} {d} {digest:02x?} {signature:02x?}",
                        stringify!($name)
                    );
                    // A zero `r` or `s` is the one reason for a signature not to be good here.
                    if let Some(must) = must {
                        if signature[..$field] != [0; $field] && signature[$field..] != [0; $field]
                        {
                            assert_eq!(
                                found,
                                must,
                                "{} {d} {digest:02x?} {signature:02x?}",
                                stringify!($name)
                            );
                        }
                    }
                    valid += found as u64;
                }
            }
            valid
        }
    };
}
curve!(
    p256,
    32,
    64,
    32,
    256,
    b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
);
curve!(p384, 48, 96, 48, 384, b"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
curve!(p521, 66, 132, 64, 528, b"01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409");
