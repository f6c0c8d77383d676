//! The messages of `verify_signature`, a function of Envoy
//! (`source/extensions/common/wasm/ext/verify_signature.proto`). It verifies
//! RSASSA-PKCS1-v1_5, and ECDSA in DER.

use countersign::{Algorithm, HostKey, Verification};

use crate::protobuf::{self, Field, Message};

/// What Envoy verifies; the gate verifies the other algorithms itself.
pub(crate) const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
];

/// The fields of `VerifySignatureArguments`.
const HASH: u8 = 1;
const PUBLIC_KEY: u8 = 2;
const SIGNATURE: u8 = 3;
const TEXT: u8 = 4;

/// Of several errors, the one of a signature that does not verify.
const NOT_VERIFIED: &[u8] = b"Failed to verify digest";

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// Begins the arguments: the part that is the same for all signatures of a key.
/// `None` if Envoy does not verify this algorithm.
pub(crate) fn begin(algorithm: Algorithm, key: &HostKey) -> Option<Vec<u8>> {
    let hash: &[u8] = match algorithm {
        Algorithm::RS256 | Algorithm::ES256 => b"sha256",
        Algorithm::RS384 | Algorithm::ES384 => b"sha384",
        Algorithm::RS512 | Algorithm::ES512 => b"sha512",
        _ => return None,
    };
    let HostKey::Public(key) = key else {
        return None;
    };
    let mut arguments = Vec::with_capacity(key.len() + 16);
    protobuf::push(&mut arguments, HASH, hash);
    protobuf::push(&mut arguments, PUBLIC_KEY, key);
    Some(arguments)
}

/// Completes the arguments.
pub(crate) fn complete(begun: &[u8], signature: &countersign::Signature) -> Vec<u8> {
    let size = begun.len() + signature.signature.len() + signature.signed.len() + 32;
    let mut arguments = Vec::with_capacity(size);
    arguments.extend(begun);
    match signature.algorithm {
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 => {
            protobuf::push(&mut arguments, SIGNATURE, &der(&signature.signature));
        }
        _ => protobuf::push(&mut arguments, SIGNATURE, &signature.signature),
    }
    protobuf::push(&mut arguments, TEXT, &signature.signed);
    arguments
}

/// Reads a `VerifySignatureResult`: `bool result = 1; string error = 2`.
pub(crate) fn result(bytes: &[u8]) -> Verification {
    let mut message = Message(bytes);
    match message.next() {
        Some(Some(Field::Varint(1, 1))) => Verification::Valid,
        Some(Some(Field::Bytes(2, error))) if error.starts_with(NOT_VERIFIED) => {
            Verification::Invalid
        }
        _ => Verification::Failed,
    }
}

/// Encodes `r` then `s` as an `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    element(SEQUENCE, &[integer(r), integer(s)].concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..).unwrap_or_default();
    // The first bit is the sign.
    let is_positive = number.first().is_some_and(|byte| *byte < 0x80);
    let sign: &[u8] = if is_positive { &[] } else { &[0] };
    element(INTEGER, &[sign, number].concat())
}

/// The longest one has 139 bytes: the numbers of P-521.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let head: &[u8] = match length {
        0..=0x7f => &[tag, length],
        _ => &[tag, 0x81, length],
    };
    [head, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_ecdsa_lose_their_zeros_and_get_a_sign() {
        let of = |r: &[u8], s: &[u8]| der(&[r, s].concat());
        assert_eq!(of(&[0, 1], &[0x7f, 2]), [48, 7, 2, 1, 1, 2, 2, 0x7f, 2]);
        assert_eq!(of(&[0, 0x80], &[0, 0]), [48, 7, 2, 2, 0, 0x80, 2, 1, 0]);
        let longest = of(&[&[1][..], &[0xff; 65]].concat(), &[0x01; 66]);
        assert_eq!(&longest[..6], [48, 0x81, 136, 2, 66, 1]);
        assert_eq!(longest.len(), 3 + 136);
    }

    #[test]
    fn arguments_have_hash_key_signature_and_text() {
        let key = HostKey::Public(b"spki".to_vec());
        let signature = countersign::Signature {
            ticket: 1,
            algorithm: Algorithm::ES256,
            key: 1,
            signed: (*b"text").into(),
            signature: [0, 5, 0, 6].into(),
        };
        let begun = begin(Algorithm::ES256, &key).unwrap();
        assert_eq!(
            complete(&begun, &signature),
            b"\x0a\x06sha256\x12\x04spki\x1a\x08\x30\x06\x02\x01\x05\x02\x01\x06\x22\x04text"
        );
        assert_eq!(begin(Algorithm::PS256, &key), None);
        let secret = HostKey::Secret(b"secret".to_vec());
        assert_eq!(begin(Algorithm::HS256, &secret), None);
    }

    #[test]
    fn only_true_is_valid_and_only_a_verified_digest_is_invalid() {
        let error = |text: &str| {
            let mut message = Vec::new();
            protobuf::push(&mut message, 2, text.as_bytes());
            message
        };
        assert_eq!(result(&[8, 1]), Verification::Valid);
        let invalid = error("Failed to verify digest. Error code: 0");
        assert_eq!(result(&invalid), Verification::Invalid);
        for failed in [
            error("Failed to initialize digest verify."),
            error("sha3 is not supported."),
            vec![8, 0],
            vec![8],
            vec![],
        ] {
            assert_eq!(result(&failed), Verification::Failed, "{failed:?}");
        }
    }
}
