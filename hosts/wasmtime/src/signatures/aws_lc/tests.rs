//! Which keys AWS-LC accepts: all that the module hands over.

use std::{fs, iter};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::AwsLc;
use crate::{bindings::exports::countersign::gate::gate as wit, signatures::Provider};

fn accepts(algorithm: &str, key: &wit::HostKey) -> bool {
    AwsLc.prepare(algorithm, key).is_some()
}

/// An element of DER, with a length of two bytes where one is not enough.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head: &[u8] = match content.len() {
        0..=0x7f => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, &content].concat()
}

fn spki(algorithm: &[u8], key: &[u8]) -> wit::HostKey {
    let algorithm = element(0x30, &[algorithm]);
    let key = element(0x03, &[&[0], key]);
    wit::HostKey::Public(element(0x30, &[&algorithm, &key]))
}

/// An RSA key: a modulus of this length, all ones, as nothing looks at its factors.
fn rsa(bits: usize, exponent: u64) -> wit::HostKey {
    let first = match bits % 8 {
        0 => 0xff,
        rest => (1_u8 << rest) - 1,
    };
    let modulus: Vec<u8> = iter::once(first)
        .chain(iter::repeat_n(0xff, bits.div_ceil(8) - 1))
        .collect();
    rsa_of(&modulus, &exponent.to_be_bytes())
}

fn rsa_of(modulus: &[u8], exponent: &[u8]) -> wit::HostKey {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        // The first bit is that of the sign.
        let positive = [&[0], &bytes[zeros..]].concat();
        let from = usize::from(positive.get(1).is_some_and(|byte| *byte < 0x80));
        element(0x02, &[&positive[from..]])
    };
    let key = element(0x30, &[&integer(modulus), &integer(exponent)]);
    let algorithm = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    spki(algorithm, &key)
}

#[test]
fn rsa_keys_that_the_module_hands_over_are_accepted() {
    for bits in [2048, 2050, 2056, 3072, 4096, 8190, 8192] {
        for exponent in [65537, 65539, (1 << 31) - 1] {
            for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
                let key = rsa(bits, exponent);
                assert!(accepts(algorithm, &key), "{algorithm} {bits} {exponent}");
            }
        }
    }
}

/// It takes more than the module hands over: small exponents and odd lengths. What it
/// refuses, the module does too.
#[test]
fn rsa_keys_that_aws_lc_refuses_are_none_of_them() {
    for (bits, exponent) in [
        (2048, 1),
        (2048, 2),
        (2048, 65536),
        (2048, (1 << 34) + 1),
        (16392, 65537),
    ] {
        let key = rsa(bits, exponent);
        assert!(!accepts("RS256", &key), "{bits} {exponent}");
    }
    assert!(
        !accepts("RS256", &rsa_of(&[0xfe; 256], &[1, 0, 1])),
        "an even modulus"
    );
}

#[test]
fn a_key_is_for_the_algorithms_of_its_kind_only() {
    let rsa = rsa(2048, 65537);
    let (p256, p384, p521): (&[u8], &[u8], &[u8]) = (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
    );
    let keys = [
        (
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
            rsa,
        ),
        (&["ES256"], point(p256, &test_key("ec-p256"))),
        (&["ES384"], point(p384, &test_key("ec-p384"))),
        (&["ES512"], point(p521, &test_key("ec-p521"))),
        (
            &["EdDSA"],
            spki(b"\x06\x03\x2b\x65\x70", &part(&test_key("ed25519"), "x")),
        ),
        (
            &["HS256", "HS384", "HS512"],
            wit::HostKey::Secret(vec![7; 64]),
        ),
    ];
    for (algorithms, key) in &keys {
        for algorithm in super::ALGORITHMS.iter().chain(&["none", "ES256K", ""]) {
            let is_for_it = algorithms.contains(algorithm);
            assert_eq!(
                accepts(algorithm, key),
                is_for_it,
                "{algorithms:?} {algorithm}"
            );
        }
    }
}

#[test]
fn a_point_that_is_not_on_the_curve_is_refused() {
    let curve = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
    let mut jwk = test_key("ec-p521");
    jwk["y"] = jwk["x"].clone();
    assert!(!accepts("ES512", &point(curve, &jwk)));
}

fn test_key(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/keys/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn part(jwk: &Value, name: &str) -> Vec<u8> {
    let part = jwk[name].as_str().unwrap();
    BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()
}

fn point(curve: &[u8], jwk: &Value) -> wit::HostKey {
    let point = [vec![4], part(jwk, "x"), part(jwk, "y")].concat();
    spki(curve, &point)
}
