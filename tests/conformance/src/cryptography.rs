//! The host's own cryptography in native mode: AWS-LC.

use std::{collections::HashMap, fmt};

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};
use countersign::{Algorithm, HostKey, Native, Verification};

/// Prepared keys of one gate, by their numbers.
#[derive(Default)]
pub struct Keys(HashMap<u32, Key>);

/// A gate hands over a key at any time that a question about it is open, so they can
/// be dropped.
const KEPT: usize = 1_024;

enum Key {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

/// What the cryptography offers: all algorithms.
pub fn offer() -> Native {
    Native {
        fips: false,
        algorithms: Algorithm::ALL.into(),
    }
}

/// Verifies one signature.
pub fn verify(key: HostKey, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Verification {
    Keys::default().verify(1, || Some(key), algorithm.as_str(), (signed, signature))
}

impl Keys {
    /// Verifies a signature. `key` is called once for each number.
    pub fn verify(
        &mut self,
        number: u32,
        key: impl FnOnce() -> Option<HostKey>,
        algorithm: &str,
        (signed, signature): (&[u8], &[u8]),
    ) -> Verification {
        if !self.0.contains_key(&number) {
            let Some(prepared) = key().and_then(|key| Key::prepare(algorithm, key)) else {
                return Verification::Failed;
            };
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.insert(number, prepared);
        }
        let is_valid = match &self.0[&number] {
            Key::Public(key) => key.verify_sig(signed, signature).is_ok(),
            Key::Secret(secret) => hmac::verify(secret, signed, signature).is_ok(),
        };
        match is_valid {
            true => Verification::Valid,
            false => Verification::Invalid,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Key {
    fn prepare(algorithm: &str, key: HostKey) -> Option<Self> {
        let verification: &'static dyn VerificationAlgorithm = match algorithm {
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
            "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
            "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
            "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
            "ES256" => &signature::ECDSA_P256_SHA256_FIXED,
            "ES384" => &signature::ECDSA_P384_SHA384_FIXED,
            "ES512" => &signature::ECDSA_P521_SHA512_FIXED,
            "EdDSA" => &signature::ED25519,
            _ => {
                let hash = match algorithm {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    _ => return None,
                };
                return match key {
                    HostKey::Secret(secret) => {
                        Some(Self::Secret(Box::new(hmac::Key::new(hash, &secret))))
                    }
                    HostKey::Public(_) => None,
                };
            }
        };
        match key {
            HostKey::Public(spki) => ParsedPublicKey::new(verification, spki)
                .ok()
                .map(Self::Public),
            HostKey::Secret(_) => None,
        }
    }
}

/// Questions of one decision: at most five principals with four cookies each.
pub(crate) const ROUNDS: usize = 64;
