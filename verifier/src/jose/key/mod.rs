//! Keys. They are parsed and prepared once, when a document is supplied.

mod candidates;
mod hmac;
mod jwk;
mod keyring;
mod pem;
mod public;
mod set;

use alloc::{boxed::Box, vec::Vec};

pub(crate) use candidates::{Asked, Candidates};
pub use keyring::Keyring;
pub(crate) use set::{Reading, parse_document};

use crate::jose::Algorithm;

/// The keys of one source that are used.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// The algorithms for which they verify.
    pub(crate) algorithms: Vec<Algorithm>,
    /// Their `use` (RFC 7517 §4.2); without it, `sig` or none.
    pub(crate) usage: Option<Box<str>>,
}

/// One key, for one algorithm (RFC 8725bis §3.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kid: Option<Box<str>>,
    pub(crate) algorithm: Algorithm,
    /// In a document of several issuers: the only `iss` that it is for.
    issuer: Option<Box<str>>,
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
