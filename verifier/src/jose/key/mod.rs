//! Keys. They are parsed and prepared once, when a document is supplied.

mod hmac;
mod jwk;
mod keyring;
mod public;
mod set;

use alloc::boxed::Box;

pub use keyring::Keyring;
pub(crate) use set::{Reading, parse_document};

use crate::jose::Algorithm;

/// One key, for one algorithm (RFC 8725bis §3.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kid: Option<Box<str>>,
    pub(crate) algorithm: Algorithm,
    material: Material,
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
}

/// Does not show key material, so that it never reaches a log.
impl core::fmt::Debug for Material {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("..")
    }
}
