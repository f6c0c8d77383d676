//! Keys. They are parsed and prepared once, when a document is supplied.

mod candidates;
mod carried;
mod hmac;
mod jwk;
mod keyring;
mod pem;
mod public;
mod set;
mod spki;

use alloc::{boxed::Box, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub(crate) use candidates::{Asked, Candidates};
pub(crate) use carried::Carried;
pub(crate) use hmac::{hmac_sha256, is_equal};
pub(crate) use jwk::tolerant_base64;
pub use keyring::{HostVerifies, Keyring};
pub(crate) use pem::certificate;
pub(crate) use set::{Reading, parse_document};

use crate::jose::Algorithm;

/// The keys of one source that are used.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// The algorithms for which they verify.
    pub(crate) algorithms: Vec<Algorithm>,
    /// Their `use` (RFC 7517 §4.2); without it, `sig` or none.
    pub(crate) usage: Option<Box<str>>,
    /// Whether keys are skipped that a host's cryptography may refuse.
    pub(crate) by_host: bool,
}

/// One key, for one algorithm (RFC 8725bis §3.1).
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kid: Option<Box<str>>,
    pub(crate) algorithm: Algorithm,
    /// In a document of several issuers: the only `iss` that it is for.
    issuer: Option<Box<str>>,
    material: Material,
    /// Identifies the key to the host; 0 if the host was never asked about it.
    number: AtomicU32,
}

/// Equal members of the JWK, whatever their number.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
            && (&self.kid, self.algorithm, &self.issuer)
                == (&other.kid, other.algorithm, &other.issuer)
    }
}

/// A key as a host's cryptography takes it.
#[derive(Clone, PartialEq, Eq)]
pub enum HostKey {
    /// A SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7): of RSA with the OID
    /// `rsaEncryption` (RFC 3279 §2.3.1), of an elliptic curve with a named
    /// curve and an uncompressed point (RFC 5480 §2), or of Ed25519 (RFC 8410
    /// §4).
    Public(Vec<u8>),
    /// The secret of an HMAC.
    Secret(Vec<u8>),
}

/// Does not show key material, so that it never reaches a log.
impl core::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HostKey(..)")
    }
}

/// The prepared key material.
#[derive(PartialEq, Eq)]
enum Material {
    Public(public::PublicKey),
    Hmac(hmac::Secret),
}

impl Key {
    /// Returns whether `signature` is a valid signature of this key over
    /// `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => key.verify(self.algorithm, message, signature),
            Material::Hmac(secret) => secret.verify(self.algorithm.hash(), message, signature),
        }
    }

    /// Returns whether a signature of this key can look like this: its length,
    /// and the ranges of its numbers. A host is asked about no other.
    pub(crate) fn admits(&self, signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => key.admits(signature),
            Material::Hmac(_) => signature.len() == self.algorithm.hash().length(),
        }
    }

    /// Returns whether every host's cryptography takes this key.
    pub(crate) fn is_approved(&self) -> bool {
        match &self.material {
            Material::Public(key) => key.is_approved(),
            Material::Hmac(_) => true,
        }
    }

    /// Returns the number of the key; the next one, if it has none.
    pub(crate) fn number(&self, last: &mut u32) -> Option<u32> {
        if self.number.load(Relaxed) == 0 {
            *last = last.checked_add(1)?;
            self.number.store(*last, Relaxed);
        }
        Some(self.number.load(Relaxed))
    }

    pub(crate) fn is_number(&self, number: u32) -> bool {
        number != 0 && self.number.load(Relaxed) == number
    }

    pub(crate) fn for_host(&self) -> HostKey {
        match &self.material {
            Material::Public(key) => HostKey::Public(key.spki(self.algorithm.kind())),
            Material::Hmac(secret) => HostKey::Secret(secret.bytes().into()),
        }
    }
}

/// Does not show key material, so that it never reaches a log.
impl core::fmt::Debug for Material {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("..")
    }
}
