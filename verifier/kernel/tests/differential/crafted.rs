//! P-256 signatures for which a chosen addition has equal or opposite points, or the sum is
//! the point at infinity, or its x-coordinate is between the order and the prime. The discrete
//! logarithms of all points are known, so sums are computed as numbers.
use crate::random::Random;
use crate::whole::{bytes, modulo, number};
use countersign_kernel::curve::check::p256_needs_complete_addition;
use num_bigint::BigInt;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::elliptic_curve::{PrimeField, sec1::FromSec1Point, sec1::ToSec1Point};
use p256::{AffinePoint, ProjectivePoint, Scalar};

/// The value of column 0 of a table, as a multiple of its point.
fn entry(k: &BigInt, n: &BigInt, teeth: usize, spacing: usize, table: usize) -> BigInt {
    let odd = k.bit(0);
    let k = if odd { k.clone() } else { n - k };
    let mut sum = BigInt::ZERO;
    for tooth in 0..teeth {
        let block = table * teeth + tooth;
        let position = spacing * block;
        // Only the last position of all is always plus; column 0 has it nowhere.
        let plus = k.bit(position as u64 + 1);
        let power = BigInt::from(1) << position;
        if plus { sum += power } else { sum -= power }
    }
    if odd { sum } else { -sum }
}

pub(crate) struct Case {
    pub(crate) point: AffinePoint,
    pub(crate) digest: [u8; 32],
    pub(crate) signature: [u8; 64],
}

/// Runs the cases and returns how many verifications needed complete additions.
pub(crate) fn run(random: &mut Random, count: u64) -> u64 {
    let n = BigInt::parse_bytes(
        b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        16,
    )
    .unwrap();
    let p = BigInt::parse_bytes(
        b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        16,
    )
    .unwrap();
    let scalar =
        |x: &BigInt| Scalar::from_repr(bytes::<32>(&modulo(x.clone(), &n)).into()).unwrap();
    let inverse = |x: &BigInt| modulo(x.clone(), &n).modinv(&n);
    let base = ProjectivePoint::GENERATOR;
    let x_of = |point: &AffinePoint| number(&point.to_sec1_point(false).as_bytes()[1..33]);
    // Points with an abscissa between the order and the prime.
    let wrapping: Vec<AffinePoint> = (0..60)
        .filter_map(|i| {
            let mut compressed = [2u8; 33];
            compressed[1..].copy_from_slice(&bytes::<32>(&(&n + i)));
            let point = p256::Sec1Point::from_bytes(compressed).unwrap();
            AffinePoint::from_sec1_point(&point).into_option()
        })
        .collect();
    assert!(
        wrapping.len() > 10
            && wrapping
                .iter()
                .all(|point| x_of(point) >= n && x_of(point) < p)
    );

    let mut again = 0;
    let mut must_again = 0;
    for _ in 0..count {
        // A key with a known logarithm, often a small one or that of a base.
        let d = match random.below(6) {
            0 => BigInt::from(1 + random.below(8)),
            1 => -BigInt::from(1 + random.below(8)),
            2 => BigInt::from(1) << random.below(256),
            3 => -(BigInt::from(1) << (19 * random.below(14))) - random.below(2),
            _ => number(&random.bytes::<32>()),
        };
        let d = modulo(d, &n);
        let d = if d == BigInt::ZERO {
            BigInt::from(1)
        } else {
            d
        };
        let u = modulo(number(&random.bytes::<32>()), &n);
        let v = modulo(number(&random.bytes::<32>()), &n);
        let generator = |k: &BigInt, table| entry(k, &n, 7, 19, table);
        let key = |k: &BigInt, table| entry(k, &n, 5, 26, table) * &d;

        if random.one_in(10) {
            wrapped(random, &wrapping, &n);
            continue;
        }
        // The sum wanted, and whether it makes the last round degenerate. The round adds the generator's
        // entries g0, g1 and then the key's q0, q1.
        let mut stage = random.below(9);
        let (q0, q1) = (key(&v, 0), key(&v, 1));
        let (mut u1, mut u2) = (u.clone(), v.clone());
        let solve = |total: BigInt| modulo(total - &d * &v, &n);
        match stage {
            0 => u1 = solve(2 * &q1),
            1 => u1 = solve(BigInt::ZERO), // opposite to q1, and at infinity
            2 => u1 = solve(2 * &q0 + &q1),
            3 => u1 = solve(q1.clone()), // opposite to q0
            4 => u1 = solve(&q0 + &q1),  // opposite to g1
            5 => {
                // Equal to g1, which must come out of the sum as it went in.
                let mut found = false;
                for _ in 0..600 {
                    let g1 = generator(&modulo(number(&random.bytes::<32>()), &n), 1);
                    u1 = solve(2 * &g1 + &q0 + &q1);
                    if generator(&u1, 1) == g1 {
                        found = true;
                        break;
                    }
                }
                if !found {
                    stage = 8;
                }
            }
            6 => {
                // Opposite to g0: one `u2` in 128 has such a `u1`.
                let mut found = false;
                for _ in 0..600 {
                    u2 = modulo(number(&random.bytes::<32>()), &n);
                    let g1 = generator(&u, 1);
                    u1 = modulo(g1.clone() + key(&u2, 0) + key(&u2, 1) - &d * &u2, &n);
                    if generator(&u1, 1) == g1 {
                        found = true;
                        break;
                    }
                }
                if !found {
                    stage = 8;
                }
            }
            7 => u1 = BigInt::ZERO,
            _ => {}
        }
        if u2 == BigInt::ZERO {
            continue;
        }
        let total = modulo(&u1 + &d * &u2, &n);
        let r = if total == BigInt::ZERO {
            modulo(number(&random.bytes::<32>()), &n)
        } else {
            modulo(x_of(&(base * scalar(&total)).to_affine()), &n)
        };
        let s = modulo(&r * inverse(&u2).unwrap(), &n);
        let e = modulo(&u1 * &s, &n);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&bytes::<32>(&r));
        signature[32..].copy_from_slice(&bytes::<32>(&s));
        let point = (base * scalar(&d)).to_affine();
        let expected = total != BigInt::ZERO && r != BigInt::ZERO;
        let case = Case {
            point,
            digest: bytes(&e),
            signature,
        };
        let done_again = same(&case, Some(expected));
        if std::env::var_os("VECTORS").is_some() {
            let sec1 = case.point.to_sec1_point(false);
            let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
            println!(
                "V {stage} {expected} {done_again} {} {} {}",
                hex(&sec1.as_bytes()[1..]),
                hex(&case.digest),
                hex(&case.signature)
            );
        }
        again += done_again as u64;
        if stage <= 6 && r != BigInt::ZERO {
            assert!(
                done_again,
                "stage {stage}: {d} {u1} {u2} should have met equal or opposite points"
            );
            must_again += 1;
        }
    }
    assert!(count < 100 || must_again > count / 3);
    again
}

/// Both answers are the same (and the expected one). Returns whether it needed complete additions.
fn same(case: &Case, expected: Option<bool>) -> bool {
    let sec1 = case.point.to_sec1_point(false);
    let (x, y) = (
        sec1.as_bytes()[1..33].try_into().unwrap(),
        sec1.as_bytes()[33..].try_into().unwrap(),
    );
    let ours = countersign_kernel::curve::p256::VerifyingKey::new(x, y).expect("a good key");
    let theirs = p256::ecdsa::VerifyingKey::from_affine(case.point).unwrap();
    let found = ours.verify(&case.digest, &case.signature);
    let reference = p256::ecdsa::Signature::from_slice(&case.signature)
        .is_ok_and(|signature| theirs.verify_prehash(&case.digest, &signature).is_ok());
    let text = || format!("{sec1:?} {:02x?} {:02x?}", case.digest, case.signature);
    assert_eq!(found, reference, "{}", text());
    if let Some(expected) = expected {
        assert_eq!(found, expected, "{}", text());
    }
    p256_needs_complete_addition(&ours, &case.digest, &case.signature)
}

/// A signature whose sum has an abscissa of at least `n`, so that `r` is that less `n`: the key is
/// recovered from it. With another `r` near it, it must fail.
fn wrapped(random: &mut Random, points: &[AffinePoint], n: &BigInt) {
    let sum = points[random.below(points.len())];
    let r = number(&sum.to_sec1_point(false).as_bytes()[1..33]) - n;
    if r == BigInt::ZERO {
        return;
    }
    let s = modulo(number(&random.bytes::<32>()), n);
    let e = modulo(number(&random.bytes::<32>()), n);
    if s == BigInt::ZERO {
        return;
    }
    let scalar = |x: &BigInt| Scalar::from_repr(bytes::<32>(&modulo(x.clone(), n)).into()).unwrap();
    let over_r = r.modinv(n).unwrap();
    let point = ProjectivePoint::from(sum) * scalar(&(&s * &over_r))
        - ProjectivePoint::GENERATOR * scalar(&(&e * &over_r));
    if point == ProjectivePoint::IDENTITY {
        return;
    }
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&bytes::<32>(&r));
    signature[32..].copy_from_slice(&bytes::<32>(&s));
    let mut case = Case {
        point: point.to_affine(),
        digest: bytes(&e),
        signature,
    };
    same(&case, Some(true));
    case.signature[31] ^= 1;
    same(&case, Some(false));
}
