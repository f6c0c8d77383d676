//! Public keys of every kind (RFC 7518 §6, RFC 8037 §2), prepared for the
//! arithmetic of `countersign_kernel`.

use alloc::{boxed::Box, vec::Vec};

use countersign_kernel::{
    curve::{ed25519, p256, p384, p521},
    rsa,
};

use super::spki;
use crate::jose::{Algorithm, KeyKind};

/// The numbers of a key: `n` and `e` (RFC 7518 §6.3.1), `x` and `y` (§6.2.1),
/// or `x` alone (RFC 8037 §2).
pub(super) type Members = [Vec<u8>; 2];

/// A prepared key. Two keys are equal if their JWK members are equal.
pub(super) struct PublicKey {
    prepared: Prepared,
    members: Members,
}

enum Prepared {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::VerifyingKey>),
    P384(Box<p384::VerifyingKey>),
    P521(Box<p521::VerifyingKey>),
    Ed25519(Box<ed25519::VerifyingKey>),
}

impl PublicKey {
    /// Prepares a key. The error says why it cannot be used.
    pub(super) fn new(kind: KeyKind, members: Members) -> Result<Self, &'static str> {
        const OFF_CURVE: &str = "its coordinates are no point of the curve, or have another length";
        let [first, second] = &members;
        let prepared = match kind {
            KeyKind::Rsa => prepare_rsa(first, second)?,
            KeyKind::P256 => arrays(first, second)
                .and_then(|(x, y)| p256::VerifyingKey::new(x, y))
                .map(|key| Prepared::P256(Box::new(key)))
                .ok_or(OFF_CURVE)?,
            KeyKind::P384 => arrays(first, second)
                .and_then(|(x, y)| p384::VerifyingKey::new(x, y))
                .map(|key| Prepared::P384(Box::new(key)))
                .ok_or(OFF_CURVE)?,
            KeyKind::P521 => arrays(first, second)
                .and_then(|(x, y)| p521::VerifyingKey::new(x, y))
                .map(|key| Prepared::P521(Box::new(key)))
                .ok_or(OFF_CURVE)?,
            KeyKind::Ed25519 => first
                .as_slice()
                .try_into()
                .ok()
                .and_then(ed25519::VerifyingKey::new)
                .map(|key| Prepared::Ed25519(Box::new(key)))
                .ok_or("its `x` is no Ed25519 key of 32 bytes, or of low order")?,
            KeyKind::Oct => return Err("it is a secret, not a public key"),
        };
        Ok(Self { prepared, members })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let hash = algorithm.hash();
        match &self.prepared {
            Prepared::Rsa(key) => match algorithm {
                Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512 => {
                    key.verify_pss(hash, message, signature)
                }
                Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => {
                    key.verify_pkcs1(hash, message, signature)
                }
                _ => false,
            },
            // The signature is r and s, each of the curve's length (RFC 7518
            // §3.4).
            Prepared::P256(key) => arrays(&hash.digest(&[message]), signature)
                .is_some_and(|(digest, signature)| key.verify(digest, signature)),
            Prepared::P384(key) => arrays(&hash.digest(&[message]), signature)
                .is_some_and(|(digest, signature)| key.verify(digest, signature)),
            Prepared::P521(key) => arrays(&hash.digest(&[message]), signature)
                .is_some_and(|(digest, signature)| key.verify(digest, signature)),
            Prepared::Ed25519(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, signature)),
        }
    }
}

impl PublicKey {
    /// Returns whether the length of the signature and the ranges of its numbers
    /// are those of this key.
    pub(super) fn admits(&self, signature: &[u8]) -> bool {
        fn array<const N: usize>(signature: &[u8], admits: impl Fn(&[u8; N]) -> bool) -> bool {
            signature.try_into().is_ok_and(admits)
        }
        match &self.prepared {
            Prepared::Rsa(key) => key.admits(signature),
            Prepared::P256(key) => array(signature, |signature| key.admits(signature)),
            Prepared::P384(key) => array(signature, |signature| key.admits(signature)),
            Prepared::P521(key) => array(signature, |signature| key.admits(signature)),
            Prepared::Ed25519(key) => array(signature, |signature| key.admits(signature)),
        }
    }

    pub(super) fn is_approved(&self) -> bool {
        match &self.prepared {
            Prepared::Rsa(key) => key.is_approved(),
            _ => true,
        }
    }

    pub(super) fn spki(&self, kind: KeyKind) -> Vec<u8> {
        spki::encode(kind, &self.members)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
    }
}

impl Eq for PublicKey {}

/// Both numbers are big-endian without leading zeros.
fn prepare_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Prepared, &'static str> {
    let key = rsa::PublicKey::new(modulus, exponent).ok_or(
        "its modulus is not an odd number of 2048 to 8192 bits, or its exponent is not an odd number from 3 to 2^32-1",
    )?;
    Ok(Prepared::Rsa(Box::new(key)))
}

/// Returns slices as arrays if they have exactly these lengths.
fn arrays<'m, const A: usize, const B: usize>(
    a: &'m [u8],
    b: &'m [u8],
) -> Option<(&'m [u8; A], &'m [u8; B])> {
    Some((a.try_into().ok()?, b.try_into().ok()?))
}
