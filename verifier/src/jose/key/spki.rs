//! SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7): the AlgorithmIdentifiers, and
//! the encoder of keys for a host's cryptography. `pem` has the reader.

use alloc::vec::Vec;

use super::public::Members;
use crate::jose::KeyKind;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const SEQUENCE: u8 = 0x30;

/// The whole content of AlgorithmIdentifier (RFC 3279 §2.3, RFC 5480 §2.1, RFC
/// 8410 §3) and the kind of the key.
pub(super) const ALGORITHMS: [(&[u8], KeyKind); 5] = [
    (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
        KeyKind::Rsa,
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        KeyKind::P256,
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        KeyKind::P384,
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
        KeyKind::P521,
    ),
    (b"\x06\x03\x2b\x65\x70", KeyKind::Ed25519),
];

/// Encodes a key of this kind.
pub(super) fn encode(kind: KeyKind, [first, second]: &Members) -> Vec<u8> {
    let algorithm = ALGORITHMS.iter().find(|(_, known)| *known == kind);
    let algorithm = algorithm.map_or(&[][..], |(algorithm, _)| algorithm);
    let key = match kind {
        KeyKind::Rsa => element(SEQUENCE, &[&positive(first), &positive(second)]),
        KeyKind::Ed25519 => first.clone(),
        // An uncompressed point (SEC 1 §2.3.3).
        _ => [&[4], &**first, &**second].concat(),
    };
    let parts = [
        &*element(SEQUENCE, &[algorithm]),
        &*element(BIT_STRING, &[&[0], &key]),
    ];
    element(SEQUENCE, &parts)
}

/// Encodes a positive number. Its first bit is that of the sign.
fn positive(number: &[u8]) -> Vec<u8> {
    let is_negative = number.first().is_some_and(|byte| *byte >= 0x80);
    let sign: &[u8] = if is_negative { &[0] } else { &[] };
    element(INTEGER, &[sign, number])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    // Keys have at most 8,192 bits: two bytes are enough for every length.
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let head: &[u8] = match length {
        0..=0x7f => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, &content].concat()
}
