//! RSA against big-integer arithmetic, the `rsa` crate and Wycheproof. `probe` makes the random
//! cases; `examples/rsa.rs` runs more of them.

use std::path::PathBuf;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{env, format, fs, println, vec};

use num_bigint::{BigInt, BigUint};
use rsa::BoxedUint;
use rsa::traits::SignatureScheme;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::PublicKey;
use super::digits::{BITS, bytes_from_words, digits_from_words, words_from_bytes};
use super::probe::{DIGIT_MAX, Random, number, run};
use super::reciprocal::reciprocal;
use crate::hash::Hash;

#[test]
fn steps_and_powers_agree_with_big_integers() {
    for (seed, count, per_key, bits) in [(1, 20_000, 200, 2048), (2, 5_000, 50, 0), (3, 300, 1, 0)]
    {
        let report = run(seed, count, per_key, bits);
        let (steps, powers, keys) = (report.steps, report.powers, report.keys);
        println!("seed {seed}: {steps} steps, {powers} powers, {keys} keys");
        assert_eq!(report.differences, Vec::<String>::new());
    }
}

/// The argument of `columns`, in numbers.
#[test]
fn digit_bound_is_a_fixed_point_and_columns_fit_32_bits() {
    let bound = |length: i64, digit: i64| {
        let folds = length / 80 + 3;
        let high = (length * digit * digit + digit) / 8192 + folds;
        4096 + ((8191 + high + 4096) >> BITS)
    };
    let digit = i64::from(DIGIT_MAX);
    for length in (160..=640).step_by(16) {
        assert!(bound(length, digit) <= digit, "{length}");
    }
    assert!(bound(160, 4141) <= 4141);
    let rows = 16 + 80 + 16;
    assert!(rows * digit * digit + 8191 + digit <= i64::from(i32::MAX));
}

#[test]
fn every_length_of_modulus_has_room_for_its_numbers() {
    for bits in 2048..=8192_usize {
        let length = (bits + 28).div_ceil(13).next_multiple_of(16);
        let (m, a) = ((2 * bits + 5).div_ceil(13), (bits - 6) / 13);
        assert!(13 * (length - 2) >= bits + 2, "quotient");
        assert!(13 * m - bits + 1 + 2 <= 13 * length, "reciprocal");
        assert!(13 * (a + length) >= 2 * bits + 2, "upper digits");
        assert!(length <= 640 && m - a >= 2);
        // The quotient's error in parts of a thousand: fraction, digits below
        // `a`, reciprocal, columns never computed.
        let (exact_a, exact_m) = (bits - 1 - 13 * a, 13 * m - 2 * bits);
        let missing = length * 4272 * 4272 * 1000 / 8191 / (8192 * 8192) + 1;
        let error = 530 + (530 >> exact_a.min(20)) + 1 + (1000 >> exact_m) + 1 + missing;
        assert!(error < 620, "{bits}: {error}");
    }
}

#[test]
fn extreme_moduli_and_bases_agree_with_the_rsa_crate() {
    let one = BigUint::from(1_u32);
    let mut random = Random(7);
    let mut cases = 0;
    for bits in [
        2048, 2049, 2055, 2056, 2060, 2079, 2080, 3071, 3072, 4096, 4099, 8191, 8192,
    ] {
        let top = &one << (bits - 1);
        for n in [
            (&top << 1) - 1_u32,
            &top + 1_u32,
            random.modulus(bits),
            random.modulus(bits),
        ] {
            let last = &n - 1_u32;
            for e in [3_u32, 65537] {
                let key = PublicKey::new(&n.to_bytes_be(), &e.to_be_bytes()).expect("a key");
                let bytes = key.modulus_bytes();
                assert_eq!((key.modulus_bits(), bytes), (bits, bits.div_ceil(8)));
                let oracle = oracle(&n.to_bytes_be(), e);
                for base in [
                    0_u32.into(),
                    one.clone(),
                    2_u32.into(),
                    last.clone(),
                    &last - 1_u32,
                    &n >> 1,
                ] {
                    let base = padded(&base, bytes);
                    let number = BoxedUint::from_be_slice(&base, bytes as u32 * 8).expect("fits");
                    let power = rsa::hazmat::rsa_encrypt(&oracle, &number).expect("a power");
                    let power = BigUint::from_bytes_be(&power.to_be_bytes());
                    assert_eq!(key.power(&base), Some(padded(&power, bytes)), "{bits} {e}");
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} powers");
}

#[test]
fn a_signature_of_another_length_or_not_below_the_modulus_has_no_power() {
    let n = (BigUint::from(1_u32) << 2049_u32) - 3_u32;
    let key = PublicKey::new(&n.to_bytes_be(), &[3]).expect("a key");
    assert_eq!(key.modulus_bytes(), 257);
    assert!(key.power(&padded(&(&n - 1_u32), 257)).is_some());
    assert!(key.power(&padded(&n, 257)).is_none());
    assert!(key.power(&[0xff; 257]).is_none());
    for length in [0, 1, 255, 256, 258, 512] {
        assert!(key.power(&vec![0; length]).is_none(), "{length}");
    }
}

#[test]
fn a_key_outside_the_limits_is_refused() {
    let number = |bits: u32, low: u32| ((BigUint::from(1_u32) << (bits - 1)) + low).to_bytes_be();
    let good = number(2048, 1);
    assert!(PublicKey::new(&good, &[1, 0, 1]).is_some());
    assert!(PublicKey::new(&[&[0, 0], good.as_slice()].concat(), &[0, 0, 0, 0, 1, 0, 1]).is_some());
    assert!(PublicKey::new(&number(8192, 1), &[0xff; 4]).is_some());
    for n in [
        vec![],
        vec![0; 256],
        number(2047, 1),
        number(8193, 1),
        number(2048, 2),
    ] {
        assert!(PublicKey::new(&n, &[1, 0, 1]).is_none());
    }
    for e in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[1, 0, 0, 0, 1],
    ] {
        assert!(PublicKey::new(&good, e).is_none(), "{e:?}");
    }
}

#[test]
fn reciprocals_are_exact() {
    let mut random = Random(11);
    for round in 0..400_usize {
        let bits = 2048 + round * 13 % 400 + 2000 * (round % 3);
        let n = random.modulus(bits);
        let exponent = (2 * bits + 5).div_ceil(13) * 13;
        let expected = (BigUint::from(1_u32) << exponent) / &n;
        let words = reciprocal(&n.to_u32_digits(), bits, exponent).expect("within its limits");
        assert_eq!(BigUint::new(words), expected, "{bits}");
    }
}

#[test]
fn digits_stand_for_the_number_they_were_made_of() {
    let mut random = Random(13);
    for length in [1, 3, 4, 255, 256, 257, 1024] {
        for bytes in [
            vec![0xff; length],
            vec![0; length],
            padded(&random.number(8 * length as u64), length),
        ] {
            let words = words_from_bytes(&bytes);
            assert_eq!(bytes_from_words(&words, length), bytes);
            let mut digits = vec![0; (8 * length + 2).div_ceil(13)];
            digits_from_words(&words, &mut digits);
            let horner = |sum: BigInt, digit: &i16| (sum << BITS) + *digit;
            let value = digits.iter().rev().fold(BigInt::ZERO, horner);
            assert_eq!(value, BigInt::from(BigUint::from_bytes_be(&bytes)));
            let negative: Vec<i16> = digits.iter().map(|digit| -digit).collect();
            assert_eq!(number(&negative), -value);
        }
    }
}

#[test]
fn wycheproof_pkcs1_passes_and_the_rsa_crate_agrees() {
    let Some(files) = wycheproof("rsa_signature_") else {
        return;
    };
    let exceptions = exceptions();
    let mut count = 0;
    for (name, file) in files {
        for_each_vector(&file, |key, hash, group, test, message, signature| {
            let id = test["tcId"].to_string();
            // "acceptable" occurs once a file, and has a justified exception.
            let valid = match test["result"].as_str() {
                Some("valid") => true,
                Some("invalid") => false,
                _ => {
                    assert_eq!(
                        exceptions["rsa_signature_*_test.json"][&id]["strict"],
                        "invalid"
                    );
                    false
                }
            };
            assert_eq!(
                key.verify_pkcs1(hash, message, signature),
                valid,
                "{name} {id}"
            );
            let (digest, prefix) = (digest(hash, message), hash.digest_info());
            let scheme = rsa::Pkcs1v15Sign {
                hash_len: Some(digest.len()),
                prefix: prefix.into(),
            };
            let theirs = scheme
                .verify(&group_oracle(group), &digest, signature)
                .is_ok();
            assert_eq!(theirs, valid, "{name} {id}: the rsa crate");
            count += 1;
        });
    }
    println!("{count} vectors");
    assert!(count > 2000);
}

#[test]
fn wycheproof_pss_passes_where_hash_and_salt_are_ours_and_fails_elsewhere() {
    let Some(files) = wycheproof("rsa_pss_") else {
        return;
    };
    let (mut ours, mut others) = (0, 0);
    for (name, file) in files {
        for_each_vector(&file, |key, hash, group, test, message, signature| {
            let mask_fits = group["sha"] == group["mgfSha"];
            let fits = mask_fits && group["sLen"] == hash.length();
            // In a file of empty salts this one has 32 octets, and so is one of ours.
            let salt_changed = test["comment"] == format!("s_len changed to {}", hash.length());
            let valid = if fits {
                test["result"] == "valid"
            } else {
                mask_fits && salt_changed
            };
            assert_ne!(test["result"], "acceptable");
            assert_eq!(
                key.verify_pss(hash, message, signature),
                valid,
                "{name} {}",
                test["tcId"]
            );
            let (oracle, digest, salt) =
                (group_oracle(group), digest(hash, message), hash.length());
            let theirs = match hash {
                Hash::Sha256 => {
                    rsa::Pss::<Sha256>::new_with_salt(salt).verify(&oracle, &digest, signature)
                }
                Hash::Sha384 => {
                    rsa::Pss::<Sha384>::new_with_salt(salt).verify(&oracle, &digest, signature)
                }
                Hash::Sha512 => {
                    rsa::Pss::<Sha512>::new_with_salt(salt).verify(&oracle, &digest, signature)
                }
            };
            assert_eq!(
                theirs.is_ok(),
                valid,
                "{name} {}: the rsa crate",
                test["tcId"]
            );
            *(if fits { &mut ours } else { &mut others }) += 1;
        });
    }
    println!("{ours} vectors of our schemes, {others} of others, of which one fits ours");
    assert!(ours >= 788 && others >= 475);
}

/// Every vector of a file, except those of hashes that are not ours (SHA-1,
/// SHA-224, SHA-512/256) and keys that are refused, of which there are none.
fn for_each_vector(
    file: &Value,
    mut check: impl FnMut(&PublicKey, Hash, &Value, &Value, &[u8], &[u8]),
) {
    for group in file["testGroups"].as_array().expect("groups") {
        let hash = match group["sha"].as_str() {
            Some("SHA-256") => Hash::Sha256,
            Some("SHA-384") => Hash::Sha384,
            Some("SHA-512") => Hash::Sha512,
            _ => continue,
        };
        let public = &group["publicKey"];
        let key = PublicKey::new(&hex(&public["modulus"]), &hex(&public["publicExponent"]));
        let key = key.expect("a key within the limits");
        for test in group["tests"].as_array().expect("tests") {
            check(
                &key,
                hash,
                group,
                test,
                &hex(&test["msg"]),
                &hex(&test["sig"]),
            );
        }
    }
}

fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => Sha256::digest(message).to_vec(),
        Hash::Sha384 => Sha384::digest(message).to_vec(),
        Hash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

fn group_oracle(group: &Value) -> rsa::RsaPublicKey {
    let exponent = hex(&group["publicKey"]["publicExponent"]);
    let exponent = exponent
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    oracle(&hex(&group["publicKey"]["modulus"]), exponent)
}

fn oracle(n: &[u8], e: u32) -> rsa::RsaPublicKey {
    let n = BigUint::from_bytes_be(n).to_bytes_be();
    let n = BoxedUint::from_be_slice(&n, n.len() as u32 * 8).expect("fits");
    rsa::RsaPublicKey::new_unchecked(n, BoxedUint::from(u64::from(e)))
}

fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = if *number == BigUint::ZERO {
        vec![]
    } else {
        number.to_bytes_be()
    };
    [vec![0; length - bytes.len()], bytes].concat()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex");
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn corpus() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    env::var_os("COUNTERSIGN_CORPORA")
        .map_or_else(beside, PathBuf::from)
        .join("wycheproof")
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

fn exceptions() -> Value {
    read(corpus().join("EXCEPTIONS.json"))
}

fn wycheproof(prefix: &str) -> Option<Vec<(String, Value)>> {
    let Ok(entries) = fs::read_dir(corpus()) else {
        println!(
            "skipped: no corpus `wycheproof` (COUNTERSIGN_CORPORA names the folder of corpora)"
        );
        return None;
    };
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a name");
    let mut names: Vec<String> = entries
        .map(|entry| name(entry.expect("an entry")))
        .collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    Some(
        names
            .into_iter()
            .map(|name| (name.clone(), read(corpus().join(&name))))
            .collect(),
    )
}
