//! AWS-LC.

#[cfg(test)]
mod tests;

use aws_lc_rs::{
    awslc_version, hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
    },
    try_fips_mode,
};

use super::{Cryptography, Prepared, Provider};
use crate::bindings::exports::countersign::gate::gate as wit;

pub(super) struct AwsLc;

const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];

impl Provider for AwsLc {
    fn cryptography(&self) -> Cryptography {
        Cryptography {
            name: "AWS-LC",
            version: awslc_version().into(),
            // Where one of its own tests fails, it ends the process: it does not
            // leave the mode.
            fips: try_fips_mode().is_ok(),
        }
    }

    fn algorithms(&self) -> &[&'static str] {
        &ALGORITHMS
    }

    fn prepare(&self, algorithm: &str, key: &wit::HostKey) -> Option<Box<dyn Prepared>> {
        Some(match key {
            wit::HostKey::Public(spki) => {
                let key = ParsedPublicKey::new(public(algorithm)?, spki).ok()?;
                Box::new(key)
            }
            wit::HostKey::Secret(secret) => Box::new(hmac::Key::new(keyed(algorithm)?, secret)),
        })
    }
}

impl Prepared for ParsedPublicKey {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> wit::Verification {
        answer(self.verify_sig(signed, signature).is_ok())
    }
}

impl Prepared for hmac::Key {
    fn verify(&self, signed: &[u8], signature: &[u8]) -> wit::Verification {
        answer(hmac::verify(self, signed, signature).is_ok())
    }
}

fn answer(is_valid: bool) -> wit::Verification {
    match is_valid {
        true => wit::Verification::Valid,
        false => wit::Verification::Invalid,
    }
}

fn public(algorithm: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        "ES256" => &ECDSA_P256_SHA256_FIXED,
        "ES384" => &ECDSA_P384_SHA384_FIXED,
        "ES512" => &ECDSA_P521_SHA512_FIXED,
        "EdDSA" => &ED25519,
        _ => return None,
    })
}

fn keyed(algorithm: &str) -> Option<hmac::Algorithm> {
    Some(match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return None,
    })
}
